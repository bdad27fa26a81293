import path from 'node:path';
import type { ElementType } from '../volume/nifti-types.ts';
import type { OpenScan } from '../volume/scan-types.ts';
import type { VoxelArray } from '../volume/volume.ts';
import { refuseNonFinite } from '../volume/voxel-decoder.ts';
import { ChunkCache, readBox } from './chunk-cache.ts';
import { readCaseDescription } from './format.ts';
import { elementBytes, openZarr, type StoredType } from './zarr-array.ts';

const types: Readonly<Record<StoredType, ElementType>> = { '<f4': 'float32', '<i2': 'int16', '|u1': 'uint8' };

/** Bytes of chunks that stay in memory from box to box. */
const boxBytes = 2 ** 25;

/**
 * Opens the image or the labels of a case of a store as a scan, so that whatever goes through scans slice by slice goes through
 * stores too, and box by box. Holds a layer of chunks, or some of those of the last boxes. Throws ImagingError where the array or what stands beside it cannot be used.
 */
export async function openStoredScan(folder: string): Promise<OpenScan> {
  const array = await openZarr(folder);
  const { affine } = await readCaseDescription(path.dirname(folder));
  const { shape, chunks } = array;
  const type = types[array.type];
  const across = Math.ceil(shape[1] / chunks[1]) * Math.ceil(shape[2] / chunks[2]);
  let boxes: ChunkCache | undefined;
  const layer = across * chunks[0] * chunks[1] * chunks[2] * elementBytes(array.type);
  return {
    header: { file: folder, format: 'Zarr', shape, affine, type, slope: 1, intercept: 0, oriented: true },
    async read(slab: VoxelArray, checkFinite, take) {
      const cache = new ChunkCache(layer);
      const plane = shape[1] * shape[2];
      const most = Math.floor(slab.length / plane);
      for (let first = 0; first < shape[0]; first += most) {
        const last = Math.min(first + most, shape[0]);
        const box = { start: [first, 0, 0], end: [last, shape[1], shape[2]] } as const;
        await readBox(array, box, cache, (chunk, from, to, count) => {
          slab.set(chunk.subarray(from, from + count), to);
        });
        const voxels = slab.subarray(0, (last - first) * plane);
        if (checkFinite) refuseNonFinite(folder, voxels, first * plane);
        take(voxels, first);
      }
    },
    async box(box, out) {
      boxes ??= new ChunkCache(boxBytes);
      await readBox(array, box, boxes, (chunk, from, to, count) => {
        out.set(chunk.subarray(from, from + count), to);
      });
    },
    close: async () => {},
  };
}
