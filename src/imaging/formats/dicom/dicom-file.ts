import { ImagingError } from '../../volume/errors.ts';
import { ByteReader, readError } from '../byte-reader.ts';
import { concatBytes, latin1, viewOf } from '../bytes.ts';
import type { ScanFiles } from '../scan-files.ts';
import { isUnpackable, transferSyntaxName } from './codecs/decoders.ts';
import { Attributes, type Parsed, parseDicom, parseMeta, pixelTag } from './dicom-attributes.ts';

const implicitLittle = '1.2.840.10008.1.2';
const explicitLittle = '1.2.840.10008.1.2.1';
const deflated = '1.2.840.10008.1.2.1.99';
const explicitBig = '1.2.840.10008.1.2.2';

/** Most headers of slices fit in the first; others are read as far as the next, and none is longer than the last. */
const firstBytes = 1 << 15;
const headerRoom = 1 << 22;
const mostBytes = 1 << 26;

/** Modalities (0008,0060) that are no images of slices, though some have pixels. */
const notScans = new Set(['RTSTRUCT', 'RTPLAN', 'RTDOSE', 'RTRECORD', 'SEG', 'SR', 'PR', 'KO', 'REG', 'DOC']);

/** The table of contents of a disc (Media Storage Directory). */
const directoryClass = '1.2.840.10008.1.3.10';

/** Where pixels are that are stored as they are. */
export interface PlainPixels {
  /** In the file, or, behind `deflatedFrom`, in what it unpacks to. */
  readonly offset: number;
  readonly length: number;
  /** Where in the file the packed data set begins. */
  readonly deflatedFrom?: number;
}

/** A DICOM file up to its pixels. */
export interface DicomFile {
  readonly files: ScanFiles;
  readonly file: string;
  readonly data: Attributes;
  readonly syntax: string;
  readonly hasPixels: boolean;
  /** Pixels that are not compressed. */
  readonly pixels?: PlainPixels;
  /** Where the items of compressed pixels begin that can be unpacked. */
  readonly packedAt?: number;
  /** What keeps pixels from being read, such as the name of their transfer syntax. */
  readonly unreadable?: string;
}

/**
 * Reads a file of DICOM up to its pixels; also one without preamble and meta header. Undefined where a file is something else
 * and does not pretend otherwise by its name. Of what is no image only as much as tells so, unless `whole`. Throws ImagingError for a
 * damaged one.
 */
export async function readDicomFile(
  files: ScanFiles,
  file: string,
  { whole = false }: { readonly whole?: boolean } = {},
): Promise<DicomFile | undefined> {
  const start = await readBytes(files, file, 0, firstBytes);
  const bare = latin1(start, 128, 132) === 'DICM' ? undefined : syntaxWithoutMeta(start);
  if (bare === 'none') {
    if (!/\.(dcm|dicom|ima)$/i.test(file)) return undefined;
    const found = start.length === 0 ? 'an empty file' : 'other content';
    const hint = 'Copy the file again, or take it out of the folder.';
    throw new ImagingError({ file, field: 'magic', expected: '"DICM" at byte 128', found, hint });
  }
  const meta = bare === undefined ? parseMeta(start) : undefined;
  const deflatedFrom = meta?.syntax === deflated ? meta.end : undefined;
  const parsed = await parseBeginning(files, file, start, { bare, deflatedFrom, whole });
  if (parsed.data === undefined || (parsed.problem !== undefined && (whole || !isOther(file, parsed)))) {
    const hint = 'Copy the file again, or take it out of the folder.';
    const expected = 'a sound DICOM data set';
    throw new ImagingError({ file, field: 'data set', expected, found: parsed.problem ?? 'none', hint });
  }
  const data = new Attributes(file, parsed.data);
  const used = (bare === undefined ? data.text('x00020010') : bare) || implicitLittle;
  const element = data.place(pixelTag);
  if (element === undefined) return { files, file, data, syntax: used, hasPixels: false };
  const found = { files, file, data, syntax: used, hasPixels: true };
  const { offset, length, ofUndefinedLength } = element;
  const plain = [implicitLittle, explicitLittle, explicitBig, deflated].includes(used);
  if (plain && !ofUndefinedLength) return { ...found, pixels: { offset, length, deflatedFrom } };
  if (ofUndefinedLength && isUnpackable(used)) return { ...found, packedAt: offset };
  const otherwise = ofUndefinedLength || !isUnpackable(used) ? '' : ', though pixels are of a given length';
  return { ...found, unreadable: `${transferSyntaxName(used)}${otherwise}` };
}

/** Whether a file is the table of contents of a disc. */
export const isDirectory = ({ data }: DicomFile): boolean => data.text('x00020002') === directoryClass;

/** Whether a file holds something else than images of slices: a structure set, a report... */
export const isNoImage = ({ data }: Pick<DicomFile, 'data'>): boolean => notScans.has(data.text('x00080060'));

/** Whether a file is a segmentation. */
export const isSegmentation = ({ data }: DicomFile): boolean => data.text('x00080060') === 'SEG';

/** Whether a file is a structure set of radiotherapy. */
export const isStructureSet = ({ data }: DicomFile): boolean => data.text('x00080060') === 'RTSTRUCT';

/** Whether a file says that it is a localizer, also called scout: a picture to plan the scan on. */
export const isMarkedLocalizer = ({ data }: DicomFile): boolean =>
  /LOCALIZER/i.test(data.text('x00080008', 2));

const isOther = (file: string, { data }: Parsed): boolean =>
  data !== undefined && isNoImage({ data: new Attributes(file, data) });

/** Parses as much of a file as it takes to come to the pixels; of what is no image as much as it takes to know that. */
async function parseBeginning(
  files: ScanFiles,
  file: string,
  start: Uint8Array,
  {
    bare,
    deflatedFrom,
    whole,
  }: {
    readonly bare: string | undefined;
    readonly deflatedFrom: number | undefined;
    readonly whole: boolean;
  },
): Promise<Parsed> {
  const rooms = deflatedFrom === undefined ? [firstBytes, headerRoom, mostBytes] : [firstBytes, headerRoom];
  let parsed: Parsed = { problem: 'nothing' };
  for (const room of rooms) {
    const bytes =
      deflatedFrom !== undefined
        ? await inflateStart(files, file, start.subarray(0, deflatedFrom), room)
        : room === firstBytes
          ? start
          : await readBytes(files, file, 0, room);
    parsed = parseDicom(bytes, bare);
    const pixels = parsed.problem === undefined ? parsed.data.elements[pixelTag] : undefined;
    // What was read too much is not kept beside the header of each slice.
    if (pixels !== undefined && room !== firstBytes)
      return parseDicom(bytes.slice(0, pixels.dataOffset), bare);
    if (
      pixels !== undefined ||
      bytes.length < room ||
      (room !== firstBytes && !whole && isOther(file, parsed))
    )
      return parsed;
  }
  if (deflatedFrom === undefined || parsed.data === undefined) return parsed;
  return { problem: `no pixels in the first ${headerRoom} bytes that it unpacks to`, data: parsed.data };
}

/** The meta header of a file and the first bytes of the data set that is packed behind it. */
async function inflateStart(
  files: ScanFiles,
  file: string,
  meta: Uint8Array,
  most: number,
): Promise<Uint8Array> {
  const reader = await ByteReader.open(files, file, { start: meta.length, packing: 'deflate' });
  try {
    return concatBytes([meta, await reader.take(most - meta.length)]);
  } finally {
    await reader.close();
  }
}

/** The bytes of pixels that are not compressed. Throws ImagingError where the file ends before them. */
export async function readPlain(
  { files, file, pixels }: Pick<DicomFile, 'files' | 'file'> & { readonly pixels: PlainPixels },
  bytes: number,
): Promise<Uint8Array> {
  const found = await readPlace(files, file, pixels, bytes);
  if (found.length === bytes) return found;
  throw new ImagingError({
    file,
    field: 'Pixel Data (7FE0,0010)',
    expected: `${bytes} bytes`,
    found: `${found.length}`,
    hint: 'The file is cut short: copy it again.',
  });
}

async function readPlace(
  files: ScanFiles,
  file: string,
  { offset, deflatedFrom }: PlainPixels,
  bytes: number,
): Promise<Uint8Array> {
  if (deflatedFrom === undefined) return readBytes(files, file, offset, bytes);
  const reader = await ByteReader.open(files, file, { start: deflatedFrom, packing: 'deflate' });
  try {
    await reader.skip(offset - deflatedFrom);
    return await reader.take(bytes);
  } finally {
    await reader.close();
  }
}

/** Whether its elements are stored from the most significant byte on. */
export const isBigEndian = ({ syntax }: DicomFile): boolean => syntax === explicitBig;

/** The syntax of a data set that begins at byte 0, from its first element, which is of group 0008. */
function syntaxWithoutMeta(start: Uint8Array): string | undefined | 'none' {
  if (start.length < 8) return 'none';
  const view = viewOf(start);
  if (view.getUint16(0, true) !== 8 || view.getUint16(2, true) > 0x70) return 'none';
  return /^[A-Z]{2}$/.test(latin1(start, 4, 6)) ? explicitLittle : implicitLittle;
}

async function readBytes(files: ScanFiles, file: string, offset: number, bytes: number): Promise<Uint8Array> {
  const source = await files.open(file);
  try {
    return await source.read(offset, Math.max(0, Math.min(bytes, source.size - offset)));
  } catch (error) {
    throw readError(file, error);
  } finally {
    await source.close();
  }
}
