import { readdir, stat } from 'node:fs/promises';
import { isZarr } from '../store/format.ts';
import { openStoredScan } from '../store/stored-scan.ts';
import { ImagingError } from '../volume/errors.ts';
import type { OpenScan, ScanHeader, ScanReadOptions, SlabSink } from '../volume/scan-types.ts';
import type { Volume } from '../volume/volume.ts';
import { checkedScan, openScanFile, readOpenScan, readOpenSlabs } from './any-scan.ts';
import { readError } from './byte-reader.ts';
import { openDicomSeries } from './dicom/dicom-series.ts';
import { diskFiles } from './disk-files.ts';
import { otherFolder } from './other-kinds.ts';
import { isPictureName, outlineEnding } from './picture/picture-grid.ts';
import type { ScanFolders } from './scan-files.ts';
import { openStructures, structuresOf } from './structures/structure-folder.ts';

/**
 * Opens a scan of any format, told apart by content: NIfTI (`.nii`, `.nii.gz`, `.hdr`/`.img`), NRRD (`.nrrd`, `.nhdr`),
 * MetaImage (`.mha`, `.mhd`), a folder with a DICOM series, one of its files or a DICOMDIR, the folder of an array of a store, or a picture
 * (`.png`, `.jpg`, `.tif`, `.svs`), which is a volume of depth 1.
 * Reads the header, of a series those of all its files. `files` opens all of them but a store's.
 * Throws ImagingError where the scan cannot be used.
 */
export async function openScan(
  path: string,
  options: ScanReadOptions = {},
  files: ScanFolders = diskFiles,
): Promise<OpenScan> {
  const scan = (await isFolder(path))
    ? await openFolder(files, path, options)
    : ((await openFlat(files, path, options)) ?? (await openScanFile(files, path, options)));
  return checkedScan(scan, options);
}

/** A file that is named as a picture, where it is one, or as outlines on one. */
async function openFlat(
  files: ScanFolders,
  path: string,
  options: ScanReadOptions,
): Promise<OpenScan | undefined> {
  if (outlineEnding.test(path))
    return (await import('./picture/outline-scan.ts')).openOutlineScan(files, path, options);
  if (!isPictureName(path)) return undefined;
  const { openPictureScan } = await import('./picture/picture-scan.ts');
  return openPictureScan(files, path, options);
}

async function openFolder(files: ScanFolders, path: string, options: ScanReadOptions): Promise<OpenScan> {
  if (isZarr(path)) return openStoredScan(path);
  const names = await readdir(path).catch((error: unknown) => {
    throw readError(path, error);
  });
  const structures = options.labels ? structuresOf(path, names) : [];
  if (structures.length > 0) {
    const open = (file: string, given: ScanReadOptions) => openScan(file, given, files);
    return openStructures(path, structures, options, open);
  }
  const other = otherFolder(path, names);
  if (other !== undefined) throw new ImagingError({ file: path, field: 'path', ...other });
  return openDicomSeries(files, path, options);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw readError(path, error);
  }
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
  return readOpenSlabs(await openScan(path, options), options, begin);
}

/** A scan of any format as a whole. Throws ImagingError as readScanSlabs does. */
export async function readScan(
  path: string,
  options: ScanReadOptions = {},
): Promise<Volume & { readonly header: ScanHeader }> {
  return readOpenScan(await openScan(path, options), options);
}
