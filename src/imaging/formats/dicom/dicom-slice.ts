import { ImagingError } from '../../volume/errors.ts';
import type { WritableType } from '../../volume/nifti-types.ts';
import type { ScanFiles } from '../scan-files.ts';
import { type Fragment, findFrames } from './dicom-encapsulated.ts';
import { type DicomFile, isBigEndian, type PlainPixels } from './dicom-file.ts';
import { type Plane, planeOf } from './dicom-groups.ts';
import { type Mark, marksOf } from './dicom-marks.ts';

/** Where the pixels of a slice are: as they are stored, or compressed in fragments. */
export type FramePlace = PlainPixels | { readonly fragments: readonly Fragment[]; readonly syntax: string };

/** One slice of a series: where it lies, in LPS mm, and how its pixels are stored. */
export interface DicomSlice extends Plane {
  /** Nothing else of the file stays in memory. */
  readonly files: ScanFiles;
  readonly file: string;
  readonly place: FramePlace;
  /** What others refer to it by: SOP Class UID and SOP Instance UID of its file. */
  readonly sopClass: string;
  readonly sopInstance: string;
  /** The number of its frame, from 1, where the file has several. */
  readonly frame?: number;
  readonly rows: number;
  readonly columns: number;
  /** mm; a property of the scanner, and not the distance of slices. */
  readonly thickness?: number;
  readonly pixels: PixelFormat;
  /** What may tell it apart from another one at its place. */
  readonly marks: readonly Mark[];
  /** value = stored * slope + intercept. */
  readonly slope: number;
  readonly intercept: number;
}

/** Integers of which only some bits count. */
export interface PixelFormat {
  readonly type: Extract<WritableType, 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32'>;
  readonly bytes: 1 | 2 | 4;
  readonly bigEndian: boolean;
  readonly bitsStored: number;
  readonly highBit: number;
}

/** What all frames of a file share. */
export type FramesImage = Pick<
  DicomSlice,
  'files' | 'file' | 'sopClass' | 'sopInstance' | 'rows' | 'columns' | 'pixels'
>;

type Fail = (field: string, expected: string, found: string, hint?: string) => never;

const failOf =
  (file: string): Fail =>
  (field, expected, found, hint) => {
    throw new ImagingError({ file, field, expected, found: found.slice(0, 120), hint });
  };

/** Reads what all frames of a file share. Throws ImagingError with the first attribute that is missing or that no scan has. */
export function imageOf(source: DicomFile): FramesImage {
  const { files, file, data } = source;
  const fail: Fail = failOf(file);
  if (source.unreadable !== undefined) {
    const hint = 'Decompress the series first, for example with dcmdjpeg, gdcmconv --raw or dcm2niix.';
    const expected = 'pixels as they are, JPEG, JPEG-LS, JPEG 2000 or RLE';
    fail('Transfer Syntax', expected, source.unreadable, hint);
  }
  const whole = (tag: string, name: string): number => {
    return data.uint16(tag) ?? fail(name, 'a whole number', 'nothing');
  };
  if (/(^|\\)MOSAIC/i.test(data.all('x00080008'))) {
    const hint = 'Convert the series to NIfTI, for example with dcm2niix.';
    fail('Image Type', 'one slice a file', 'a mosaic of slices', hint);
  }
  const samples = whole('x00280002', 'Samples per Pixel');
  if (samples !== 1) fail('Samples per Pixel', '1', `${samples} (a colour image)`);
  const colours = data.text('x00280004');
  if (colours !== '' && !/^MONOCHROME[12]$/.test(colours))
    fail('Photometric Interpretation', 'MONOCHROME1 or MONOCHROME2', colours);
  if (data.has('x00283000')) fail('Modality LUT Sequence', 'Rescale Slope and Intercept', 'a table');
  const rows = whole('x00280010', 'Rows');
  const columns = whole('x00280011', 'Columns');
  if (!(rows > 0 && columns > 0)) fail('Rows, Columns', 'positive numbers', `${rows}, ${columns}`);
  const pixels = pixelFormat(source, whole, fail);
  const [sopClass, sopInstance] = [data.text('x00080016'), data.text('x00080018')];
  return { files, file, sopClass, sopInstance, rows, columns, pixels };
}

/** Reads the slice of a file that has one. Throws ImagingError with the first attribute that is missing or that no slice of a scan has. */
export async function sliceOf(source: DicomFile): Promise<DicomSlice> {
  const { file, data } = source;
  const fail: Fail = failOf(file);
  const frames = data.decimal('x00280008') ?? 1;
  if (frames !== 1) {
    const hint = 'Convert multi-frame files to a series of slices or to NIfTI, for example with dcm2niix.';
    fail('Number of Frames', '1, or functional groups of the frames', `${frames}`, hint);
  }
  const image = imageOf(source);
  const plane = planeOf(file, data, data, data);
  const scaling = (tag: string, name: string, absent: number): number => {
    const value = data.has(tag) ? (data.decimal(tag) ?? Number.NaN) : absent;
    return Number.isFinite(value) ? value : fail(name, 'a number', data.all(tag) || 'nothing');
  };
  const slope = scaling('x00281053', 'Rescale Slope', 1);
  const intercept = scaling('x00281052', 'Rescale Intercept', 0);
  if (slope === 0) fail('Rescale Slope', 'another number than 0', '0');
  const { rows, columns, pixels } = image;
  const place = await placeOf(source, { rows, columns, bytes: pixels.bytes }, fail);
  const thickness = data.decimal('x00180050');
  return { ...image, ...plane, place, thickness, slope, intercept, marks: marksOf(data) };
}

async function placeOf(
  { files, file, pixels, packedAt, syntax }: DicomFile,
  size: { readonly rows: number; readonly columns: number; readonly bytes: number },
  fail: (field: string, expected: string, found: string, hint: string) => never,
): Promise<FramePlace> {
  if (packedAt !== undefined) {
    const [fragments] = await findFrames(files, file, packedAt, 1);
    return { fragments, syntax };
  }
  const { rows, columns } = size;
  const bytes = rows * columns * size.bytes;
  // One byte may be added to make the length even.
  if (pixels === undefined || pixels.length < bytes || pixels.length > bytes + 1)
    fail(
      'Pixel Data',
      `${bytes} bytes (${columns} x ${rows})`,
      `${pixels?.length ?? 0}`,
      'The file is damaged.',
    );
  return pixels;
}

function pixelFormat(
  source: DicomFile,
  whole: (tag: string, name: string) => number,
  fail: (field: string, expected: string, found: string) => never,
): PixelFormat {
  const bits = whole('x00280100', 'Bits Allocated');
  if (bits !== 8 && bits !== 16 && bits !== 32) fail('Bits Allocated', '8, 16 or 32', `${bits}`);
  const bitsStored = whole('x00280101', 'Bits Stored');
  const highBit = whole('x00280102', 'High Bit');
  if (bitsStored < 1 || bitsStored > bits || highBit >= bits || highBit < bitsStored - 1)
    fail('Bits Stored, High Bit', `bits within the ${bits} allocated`, `${bitsStored}, ${highBit}`);
  const signed = whole('x00280103', 'Pixel Representation');
  if (signed > 1) fail('Pixel Representation', '0 or 1', `${signed}`);
  if (source.packedAt !== undefined && highBit !== bitsStored - 1)
    fail(
      'High Bit',
      `${bitsStored - 1}, the highest of ${bitsStored} bits of compressed pixels`,
      `${highBit}`,
    );
  const bigEndian = isBigEndian(source);
  if (bigEndian && bits === 8) fail('Transfer Syntax', 'another for 8 bits', 'Explicit VR Big Endian');
  const type = `${signed ? '' : 'u'}int${bits}` as PixelFormat['type'];
  return { type, bytes: (bits / 8) as PixelFormat['bytes'], bigEndian, bitsStored, highBit };
}
