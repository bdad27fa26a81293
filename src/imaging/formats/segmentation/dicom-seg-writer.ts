import { createHash, randomUUID } from 'node:crypto';
import type { VoxelArray } from '../../volume/volume.ts';
import { createByteWriter, type SliceWriter, sliceWriter } from '../byte-writer.ts';
import { toElements } from '../nifti/nifti-encode.ts';
import type { DicomSegFile } from './dicom-seg-data.ts';
import { DicomSegFrames, type DrawBytes } from './dicom-seg-file.ts';

/**
 * Begins a segmentation of DICOM on the slices of a series: frames lie where these lie, and refer to them. Frames wait in memory, those
 * of bits without empty ones: 1 bit a voxel of the slices with a segment, else a byte a voxel. Throws ImagingError where the grid is another
 * one, or for names that DICOM cannot hold.
 */
export async function createDicomSegWriter(file: string, seg: DicomSegFile): Promise<SliceWriter> {
  const frames = new DicomSegFrames(file, seg);
  const bytes = await createByteWriter(file);
  const collected = {
    write: async (slice: Uint8Array) => frames.add(slice),
    async finish() {
      for (const part of frames.end((pixels) => drawnFrom(seg, pixels))) await bytes.write(part);
      await bytes.finish();
    },
    abort: () => bytes.abort(),
  };
  const encode = (voxels: VoxelArray) => toElements(voxels, 'uint8', file) as Uint8Array;
  return sliceWriter(file, collected, { shape: seg.grid.shape, encode });
}

/**
 * With a date identifiers follow from what is written alone, so that the same segmentation has the same ones; without one they are new
 * each time.
 */
function drawnFrom({ kind, segments, series, date }: DicomSegFile, pixels: readonly Uint8Array[]): DrawBytes {
  const hash = createHash('sha256');
  const sources = series.ordered.map(({ sopInstance }) => sopInstance);
  hash.update(JSON.stringify([kind, segments, sources, date?.toISOString() ?? randomUUID()]));
  for (const part of pixels) hash.update(part);
  const seed = hash.digest();
  return (name) => createHash('sha256').update(seed).update(name).digest().subarray(0, 16);
}
