import { readdir, stat } from 'node:fs/promises';
import { isZarr } from '../store/format.ts';
import { openStoredScan } from '../store/stored-scan.ts';
import { ImagingError } from '../volume/errors.ts';
import { checkPlausible } from '../volume/plausible.ts';
import type { OpenScan, ScanHeader, ScanReadOptions, SlabSink } from '../volume/scan-types.ts';
import { type Volume, voxelCount } from '../volume/volume.ts';
import { allocateVoxels } from '../volume/voxel-decoder.ts';
import { readError, readStart } from './byte-reader.ts';
import { latin1 } from './bytes.ts';
import { openDicomFile, openDicomSeries } from './dicom/dicom-series.ts';
import { diskFiles } from './disk-files.ts';
import { looksLikeMetaImage, openMetaImage } from './metaimage.ts';
import { openNifti } from './nifti/nifti-read.ts';
import { openNrrd } from './nrrd.ts';
import { foundBytes, otherFolder, otherKind, packedKind } from './other-kinds.ts';
import { startsWithText } from './text-header.ts';

/** Slabs hold whole slices: as many as fit here, at least one. */
const slabBytes = 1 << 24;

/**
 * Opens a scan of any format, told apart by content: NIfTI (`.nii`, `.nii.gz`, `.hdr`/`.img`), NRRD (`.nrrd`, `.nhdr`),
 * MetaImage (`.mha`, `.mhd`), a folder with a DICOM series, one of its files or a DICOMDIR, or the folder of an array of a store.
 * Reads the header, of a series those of all its files.
 * Throws ImagingError where the scan cannot be used.
 */
export async function openScan(path: string, options: ScanReadOptions = {}): Promise<OpenScan> {
  const scan = await openAny(path, options);
  try {
    checkPlausible(scan.header);
    checkVolumes(scan.header, options);
    return scan;
  } catch (error) {
    await scan.close();
    throw error;
  }
}

/** Refuses one of several volumes of a format that has one. */
function checkVolumes({ file, format }: ScanHeader, { volumes = 1 }: ScanReadOptions): void {
  if (volumes === 1 || format === 'NIfTI') return;
  const expected = `a NIfTI file with ${volumes} volumes, one for each channel`;
  throw new ImagingError({ file, field: 'channels', expected, found: `one volume of ${format}` });
}

async function openAny(path: string, options: ScanReadOptions): Promise<OpenScan> {
  const start = await beginning(path);
  if (start === 'folder') return openFolder(path, options);
  // The voxels of a pair may begin with any bytes.
  if (/\.img(\.gz)?$/i.test(path)) return openNifti(diskFiles, path, options);
  if (startsWithText(start, /^NRRD/)) return openNrrd(diskFiles, path, options);
  if (latin1(start, 128, 132) === 'DICM') return openDicomFile(diskFiles, path, options);
  if (/\.(nrrd|nhdr)$/i.test(path)) {
    const found = start.length === 0 ? 'an empty file' : foundBytes(start);
    throw new ImagingError({ file: path, field: 'magic', expected: '"NRRD" at the start', found });
  }
  if (/\.(dcm|dicom|ima)$/i.test(path)) return openDicomFile(diskFiles, path, options);
  const kind = otherKind(start);
  if (kind !== undefined) {
    const hint =
      start.length === 0
        ? 'Copy or download it again.'
        : 'Convert it to NIfTI, NRRD, MetaImage or DICOM with all its slices in one volume.';
    throw new ImagingError({ file: path, field: 'path', expected: 'a scan', found: kind, hint });
  }
  if (looksLikeMetaImage(path, start)) return openMetaImage(diskFiles, path, options);
  try {
    return await openNifti(diskFiles, path, options);
  } catch (error) {
    if (!(error instanceof ImagingError && error.field === 'sizeof_hdr')) throw error;
    const found = await packedKind(diskFiles, path);
    if (found === undefined) throw error;
    const hint = 'Unpack it first, for example with gunzip.';
    throw new ImagingError({ file: path, field: 'path', expected: 'a scan', found, hint });
  }
}

async function openFolder(path: string, options: ScanReadOptions): Promise<OpenScan> {
  if (isZarr(path)) return openStoredScan(path);
  const names = await readdir(path).catch((error: unknown) => {
    throw readError(path, error);
  });
  const other = otherFolder(path, names);
  if (other !== undefined) throw new ImagingError({ file: path, field: 'path', ...other });
  return openDicomSeries(diskFiles, path, options);
}

/** The first bytes of a file, or that it is a folder. */
async function beginning(path: string): Promise<Uint8Array | 'folder'> {
  const folder = await stat(path).then(
    (status) => status.isDirectory(),
    (error: unknown) => {
      throw readError(path, error);
    },
  );
  return folder ? 'folder' : readStart(diskFiles, path, 256);
}

/** Reads what is known of a scan without its voxels. Throws ImagingError as openScan does. */
export async function readScanHeader(path: string, options: ScanReadOptions = {}): Promise<ScanHeader> {
  const scan = await openScan(path, options);
  await scan.close();
  return scan.header;
}

/**
 * Reads a scan of any format; its voxels pass by in slabs of a few slices, in one array that is used again and again. `begin`
 * is told what the header says before any voxel is read, and gives what takes the slabs.
 * Throws ImagingError where the scan cannot be used, also for damage that shows only at its end.
 */
export async function readScanSlabs<T>(
  path: string,
  options: ScanReadOptions,
  begin: (scan: ScanHeader) => SlabSink<T>,
): Promise<T> {
  const scan = await openScan(path, options);
  try {
    const { header } = scan;
    const sink = begin(header);
    const plane = header.shape[1] * header.shape[2];
    const slices = Math.min(header.shape[0], Math.max(1, Math.floor(slabBytes / (4 * plane))));
    const slab = allocateVoxels(path, header, slices * plane, options.as);
    await scan.read(slab, options.nonFinite !== 'keep', (voxels, first) => sink.take(voxels, first));
    return sink.end();
  } finally {
    await scan.close();
  }
}

/** A scan of any format as a whole. Throws ImagingError as readScanSlabs does. */
export function readScan(
  path: string,
  options: ScanReadOptions = {},
): Promise<Volume & { readonly header: ScanHeader }> {
  return readScanSlabs(path, options, (header) => {
    const { shape, affine } = header;
    const data = allocateVoxels(path, header, voxelCount(shape), options.as);
    return {
      take: (voxels, first) => data.set(voxels, first * shape[1] * shape[2]),
      end: () => ({ data, shape, affine, header }),
    };
  });
}
