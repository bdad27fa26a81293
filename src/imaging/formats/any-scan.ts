import { ImagingError } from '../volume/errors.ts';
import { elementBytes } from '../volume/nifti-types.ts';
import { checkPlausible } from '../volume/plausible.ts';
import {
  defaultMaxBytes,
  isPictureFormat,
  type OpenScan,
  type ScanHeader,
  type ScanReadOptions,
  type SlabSink,
} from '../volume/scan-types.ts';
import { uprightScan } from '../volume/tilt/upright-scan.ts';
import { type Volume, voxelCount } from '../volume/volume.ts';
import { allocateVoxels } from '../volume/voxel-decoder.ts';
import { readStart } from './byte-reader.ts';
import { latin1 } from './bytes.ts';
import { openDicomFile, openDicomSeries } from './dicom/dicom-series.ts';
import { type GivenFiles, givenFiles, isGivenFolder } from './given-files.ts';
import { looksLikeMetaImage, openMetaImage } from './metaimage.ts';
import { openNifti } from './nifti/nifti-read.ts';
import { openNrrd } from './nrrd.ts';
import { foundBytes, otherKind, packedKind } from './other-kinds.ts';
import type { ScanFolders } from './scan-files.ts';
import { startsWithText } from './text-header.ts';

// Scans of any format, wherever their files lie.

/** Slabs hold whole slices: as many as fit here, at least one. */
const slabBytes = 1 << 24;

/** Opens a file of any format, told apart by content. Throws ImagingError where it is no scan that can be used. */
export async function openScanFile(
  files: ScanFolders,
  path: string,
  options: ScanReadOptions,
): Promise<OpenScan> {
  const start = await readStart(files, path, 256);
  // The voxels of a pair may begin with any bytes.
  if (/\.img(\.gz)?$/i.test(path)) return openNifti(files, path, options);
  if (startsWithText(start, /^NRRD/)) return openNrrd(files, path, options);
  if (latin1(start, 128, 132) === 'DICM') return openDicomFile(files, path, options);
  if (/\.(nrrd|nhdr)$/i.test(path)) {
    const found = start.length === 0 ? 'an empty file' : foundBytes(start);
    throw new ImagingError({ file: path, field: 'magic', expected: '"NRRD" at the start', found });
  }
  if (/\.(dcm|dicom|ima)$/i.test(path)) return openDicomFile(files, path, options);
  const kind = otherKind(start);
  if (kind !== undefined) {
    const hint =
      start.length === 0
        ? 'Copy or download it again.'
        : 'Convert it to NIfTI, NRRD, MetaImage or DICOM with all its slices in one volume.';
    throw new ImagingError({ file: path, field: 'path', expected: 'a scan', found: kind, hint });
  }
  if (looksLikeMetaImage(path, start)) return openMetaImage(files, path, options);
  try {
    return await openNifti(files, path, options);
  } catch (error) {
    if (!(error instanceof ImagingError && error.field === 'sizeof_hdr')) throw error;
    const found = await packedKind(files, path);
    if (found === undefined) throw error;
    const hint = 'Unpack it first, for example with gunzip.';
    throw new ImagingError({ file: path, field: 'path', expected: 'a scan', found, hint });
  }
}

/** The scan if its header is sound and its volumes are those that are asked for; else it is closed, and ImagingError says why. */
export async function checkedScan(scan: OpenScan, options: ScanReadOptions): Promise<OpenScan> {
  try {
    checkPlausible(scan.header);
    checkVolumes(scan.header, options);
    return options.lean === 'resample' ? uprightScan(scan, options) : scan;
  } catch (error) {
    await scan.close();
    throw error;
  }
}

/** Refuses one of several volumes of a format that has one; of a series of DICOM its reader does. */
function checkVolumes({ file, format }: ScanHeader, { volume = 0, volumes = 1 }: ScanReadOptions): void {
  if (format === 'NIfTI' || isPictureFormat(format)) return;
  if (volumes === 1 && volume !== 0 && format !== 'DICOM')
    throw new ImagingError({ file, field: 'volume', expected: '0, the only one', found: `${volume}` });
  if (volumes === 1) return;
  const expected = `a NIfTI file with ${volumes} volumes, one for each channel`;
  throw new ImagingError({ file, field: 'channels', expected, found: `one volume of ${format}` });
}

/** Reads an opened scan, as {@link readScanSlabs} does, and closes it. */
export async function readOpenSlabs<T>(
  scan: OpenScan,
  options: ScanReadOptions,
  begin: (scan: ScanHeader) => SlabSink<T>,
): Promise<T> {
  try {
    const header: ScanHeader = { ...scan.header, ...scan.passing };
    const sink = begin(header);
    const plane = header.shape[1] * header.shape[2];
    const slices = Math.min(header.shape[0], Math.max(1, Math.floor(slabBytes / (4 * plane))));
    const slab = allocateVoxels(header.file, header, slices * plane, options.as);
    await scan.read(slab, options.nonFinite !== 'keep', (voxels, first) => sink.take(voxels, first));
    return sink.end();
  } finally {
    await scan.close();
  }
}

/** Refuses a picture that is too large for memory: it can be read by box alone. */
function checkRoom(
  { file, format, shape, type }: ScanHeader,
  { maxBytes = defaultMaxBytes }: ScanReadOptions,
) {
  const bytes = voxelCount(shape) * elementBytes(type);
  if (!isPictureFormat(format) || bytes <= maxBytes) return;
  const found = `${bytes} (${shape[2]} x ${shape[1]} pixels)`;
  throw new ImagingError({
    file,
    field: 'size of the picture',
    expected: `at most ${maxBytes} bytes`,
    found,
  });
}

/** The voxels of an opened scan in one array; closes it. */
export function readOpenScan(
  scan: OpenScan,
  options: ScanReadOptions,
): Promise<Volume & { readonly header: ScanHeader }> {
  return readOpenSlabs(scan, options, (passing) => {
    const { header } = scan;
    const { shape, affine, file } = header;
    checkRoom(header, options);
    const plane = passing.shape[1] * passing.shape[2];
    const data = allocateVoxels(file, header, voxelCount(shape), options.as);
    return {
      take: (voxels, first) => data.set(voxels, first * plane),
      end: () => ({ data, shape, affine, header }),
    };
  });
}

/**
 * Opens a scan of any format among files that somebody gave: a NIfTI, NRRD or MetaImage by its path, a DICOM series by its folder ('' for
 * all files) or one of its files. Throws ImagingError where it cannot be used.
 */
export async function openGivenScan(
  files: GivenFiles,
  path: string,
  options: ScanReadOptions = {},
): Promise<OpenScan> {
  const from = givenFiles(files);
  const scan = isGivenFolder(files, path)
    ? await openDicomSeries(from, path, options)
    : await openScanFile(from, path, options);
  return checkedScan(scan, options);
}

/** Reads such a scan as {@link openGivenScan} opens it. Throws ImagingError also for damage that shows only at its end. */
export async function readGivenScan(
  files: GivenFiles,
  path: string,
  options: ScanReadOptions = {},
): Promise<Volume & { readonly header: ScanHeader }> {
  return readOpenScan(await openGivenScan(files, path, options), options);
}
