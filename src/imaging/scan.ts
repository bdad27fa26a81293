import { open, stat } from 'node:fs/promises';
import { readError } from './byte-reader.ts';
import { openDicomSeries } from './dicom-series.ts';
import { ImagingError } from './errors.ts';
import { looksLikeMetaImage, openMetaImage } from './metaimage.ts';
import { openNifti } from './nifti-read.ts';
import { openNrrd } from './nrrd.ts';
import type { OpenScan, ScanHeader, ScanReadOptions, SlabSink } from './scan-types.ts';
import { isZarr } from './store/format.ts';
import { openStoredScan } from './store/stored-scan.ts';
import { type Volume, voxelCount } from './volume.ts';
import { allocateVoxels } from './voxel-decoder.ts';

/** Slabs hold whole slices: as many as fit here, at least one. */
const slabBytes = 1 << 24;

/**
 * Opens a scan of any format, told apart by content: NIfTI (`.nii`, `.nii.gz`, `.hdr`/`.img`), NRRD (`.nrrd`, `.nhdr`),
 * MetaImage (`.mha`, `.mhd`), a folder with a DICOM series, or the folder of an array of a store. Reads the header, of a series
 * those of all its files.
 * Throws ImagingError where the scan cannot be used.
 */
export async function openScan(path: string, options: ScanReadOptions = {}): Promise<OpenScan> {
  const start = await beginning(path);
  if (start === 'folder') return isZarr(path) ? openStoredScan(path) : openDicomSeries(path, options);
  if (start.toString('latin1', 0, 4) === 'NRRD') return openNrrd(path, options);
  if (start.toString('latin1', 128, 132) === 'DICM') {
    const hint = 'Give the folder that holds all files of the series.';
    throw new ImagingError({ file: path, field: 'path', expected: 'a scan', found: 'a file of DICOM', hint });
  }
  if (looksLikeMetaImage(path, start)) return openMetaImage(path, options);
  if (/\.(nrrd|nhdr)$/i.test(path)) {
    const found = start.length === 0 ? 'an empty file' : `bytes ${start.subarray(0, 4).toString('hex')}`;
    throw new ImagingError({ file: path, field: 'magic', expected: '"NRRD" at the start', found });
  }
  return openNifti(path, options);
}

/** The first bytes of a file, or that it is a folder. */
async function beginning(path: string): Promise<Buffer | 'folder'> {
  try {
    const status = await stat(path);
    if (status.isDirectory()) return 'folder';
    // Opening a pipe would wait for its other end.
    if (!status.isFile()) {
      const found = 'something else (a device or pipe)';
      throw new ImagingError({ file: path, field: 'path', expected: 'a regular file or a folder', found });
    }
    const handle = await open(path);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw error instanceof ImagingError ? error : readError(path, error);
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
