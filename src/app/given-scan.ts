import { fail } from '../core/index.ts';
import { openGivenScan, readOpenSlabs } from '../imaging/formats/any-scan.ts';
import { type GivenFiles, isGivenFolder } from '../imaging/formats/given-files.ts';
import { encodeHeader, toElements } from '../imaging/formats/nifti/nifti-encode.ts';
import { notesOf } from '../imaging/formats/scan-notes.ts';
import { holdScan, type ScanChannels, type ScanSource } from '../imaging/preprocess/held-scan.ts';
import { hostIsLittle } from '../imaging/volume/byte-order.ts';
import { typeOfArray } from '../imaging/volume/nifti-types.ts';
import type { PrepareOptions } from '../imaging/volume/prepared-case.ts';
import type { ChannelFile, ScanHeader } from '../imaging/volume/scan-types.ts';
import { type Grid, type VoxelArray, voxelCount } from '../imaging/volume/volume.ts';
import { allocateVoxels } from '../imaging/volume/voxel-decoder.ts';

// Scans among files that somebody gave to a page.

/** A scan that was given: its files, and where each of its channels lies. */
export interface GivenScan {
  readonly files: GivenFiles;
  /** Each a file, or the folder of a DICOM series: '' for all files. */
  readonly channels: readonly ChannelFile[];
  /** SeriesInstanceUID, where the files are of several series. */
  readonly series?: string;
}

/** Files of these names are scans by themselves; voxels beside a header, and all others, which may be of DICOM, are none. */
const SCAN = /\.(nii|nii\.gz|hdr|nrrd|nhdr|mha|mhd)$/i;
const DICOM = /\.(dcm|dicom|ima)$/i;

/**
 * The scan that given files make up, for a network of so many channels: as many files in the order of their names, one NIfTI file with as
 * many volumes, or, where none of them is a scan by its name or several are beside files of DICOM, the series of DICOM that all are of. Throws HalomeshError for another number of them.
 */
export function scanAmong(files: GivenFiles, channels: readonly string[]): GivenScan {
  const count = channels.length;
  const found = [...files.keys()].filter((file) => SCAN.test(file)).sort();
  if (files.size === 0) fail({ where: 'the scan', problem: 'no file was given' });
  // A folder of DICOM may hold more: what somebody made of it.
  const ofDicom =
    found.length === 0 || (found.length > 1 && [...files.keys()].some((file) => DICOM.test(file)));
  if (ofDicom && count === 1)
    return { files, channels: [{ file: files.size === 1 ? [...files.keys()][0] : '' }] };
  if (found.length === 1 && count > 1)
    return {
      files,
      channels: channels.map((_, volume) => ({ file: found[0], volume, volumes: count })),
    };
  if (found.length !== count)
    fail({
      where: 'the scan',
      problem: `the run takes ${count === 1 ? 'one channel' : `${count} channels (${channels.join(', ')})`}`,
      expected:
        count === 1
          ? 'one scan'
          : `${count} scans, named in this order, or one NIfTI file with ${count} volumes`,
      found: found.length === 0 ? 'no NIfTI, NRRD or MetaImage file' : `${found.length}: ${found.join(', ')}`,
    });
  return { files, channels: found.map((file) => ({ file })) };
}

/** A name for what is made of the scan: that of its first file, or of its folder, without its ending. */
export function nameOf({ files, channels: [{ file }] }: GivenScan): string {
  const path = isGivenFolder(files, file) ? [...files.keys()][0].split('/').slice(0, -1).join('/') : file;
  const name = path.slice(path.lastIndexOf('/') + 1).replace(/(\.nii\.gz|\.[a-z]{2,4})$/i, '');
  return name === '' ? 'scan' : name;
}

const optionsOf = ({ series }: GivenScan, { volume, volumes }: ChannelFile) => ({
  ...(series !== undefined && { series }),
  ...(volume !== undefined && { volume, volumes }),
});

/** The header of the first channel. Throws ImagingError where the scan cannot be used. */
export async function headerOf(scan: GivenScan): Promise<ScanHeader & { readonly said: readonly string[] }> {
  const [place] = scan.channels;
  const opened = await openGivenScan(scan.files, place.file, optionsOf(scan, place));
  await opened.close();
  return { ...opened.header, said: notesOf(opened.header) };
}

/**
 * The scan, prepared as its boxes are read; it holds the voxels in the type of their file, and its grid says what that file says of it.
 * Throws ImagingError.
 */
export async function openGiven(scan: GivenScan, options: PrepareOptions): Promise<ScanSource> {
  let stored: Grid['stored'];
  const channels: ScanChannels = {
    id: nameOf(scan),
    file: (channel) => scan.channels[channel].file || nameOf(scan),
    async read(channel, begin) {
      const place = scan.channels[channel];
      const settings = optionsOf(scan, place);
      const opened = await openGivenScan(scan.files, place.file, settings);
      if (channel === 0) stored = opened.header.stored;
      return readOpenSlabs(opened, settings, begin);
    },
  };
  const source = await holdScan(channels, options);
  const { original } = source.geometry;
  return {
    ...source,
    geometry: { ...source.geometry, original: { ...original, ...(stored && { stored }) } },
  };
}

/** A volume as the bytes of a NIfTI-1 file. Throws ImagingError where that cannot hold it. */
export function niftiOf(grid: Grid, voxels: VoxelArray): Uint8Array {
  const elements = toElements(voxels, typeOfArray(voxels));
  const head = encodeHeader(grid, typeOfArray(elements), hostIsLittle);
  const bytes = new Uint8Array(head.length + elements.byteLength);
  bytes.set(head);
  bytes.set(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength), head.length);
  return bytes;
}

/** The first channel of a scan as the bytes of a NIfTI file, to be looked at; read into these bytes, so that it lies in memory once. */
export async function shownScan(scan: GivenScan): Promise<Uint8Array> {
  const [place] = scan.channels;
  const settings = optionsOf(scan, place);
  const opened = await openGivenScan(scan.files, place.file, settings);
  return readOpenSlabs(opened, settings, (header) => {
    const one = allocateVoxels(header.file, header, 1);
    const head = encodeHeader(header, typeOfArray(one), hostIsLittle);
    const count = voxelCount(header.shape);
    const bytes = new Uint8Array(head.length + count * one.BYTES_PER_ELEMENT);
    bytes.set(head);
    const plane = header.shape[1] * header.shape[2];
    return {
      take(slices, first) {
        const part = new Uint8Array(slices.buffer, slices.byteOffset, slices.byteLength);
        bytes.set(part, head.length + first * plane * one.BYTES_PER_ELEMENT);
      },
      end: () => bytes,
    };
  });
}
