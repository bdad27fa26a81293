import { type StoredVoxels, voxelsOf, writeChunk, type ZarrArray } from '../store/zarr-array.ts';
import { inParallel } from '../volume/in-parallel.ts';
import type { Shape3, VoxelArray } from '../volume/volume.ts';

/** Chunks that are compressed and written at a time: as many as Node.js has threads for it. */
const AT_ONCE = 4;

/** Writes an array plane by plane, a layer of chunks at a time. */
export class LayerWriter {
  private readonly array: ZarrArray;
  private readonly layer: StoredVoxels;
  private planes = 0;
  private layers = 0;

  constructor(array: ZarrArray) {
    const { type, shape, chunks } = array;
    this.array = array;
    this.layer = voxelsOf(type, chunks[0] * shape[1] * shape[2]);
  }

  async add(plane: VoxelArray): Promise<void> {
    const { shape, chunks } = this.array;
    this.layer.set(plane, this.planes++ * plane.length);
    const done = this.layers * chunks[0] + this.planes;
    if (this.planes < chunks[0] && done < shape[0]) return;
    await writeLayer(this.array, this.layers++, this.layer.subarray(0, this.planes * plane.length));
    this.planes = 0;
  }
}

export async function writeWhole(array: ZarrArray, data: Uint8Array, signal?: AbortSignal): Promise<void> {
  const size = array.chunks[0] * array.shape[1] * array.shape[2];
  for (let k = 0; k * size < data.length; k++) {
    signal?.throwIfAborted();
    await writeLayer(array, k, data.subarray(k * size, (k + 1) * size));
  }
}

/** Writes the chunks of one layer; `voxels`: its planes, fewer than a chunk has at the far end. */
async function writeLayer(array: ZarrArray, layer: number, voxels: StoredVoxels): Promise<void> {
  const { type, shape, chunks } = array;
  const [, height, width] = shape;
  const planes = voxels.length / (height * width);
  const rows = Math.ceil(height / chunks[1]);
  const columns = Math.ceil(width / chunks[2]);
  const places: Shape3[] = [];
  for (let j = 0; j < rows; j++) for (let i = 0; i < columns; i++) places.push([layer, j, i]);
  await inParallel(places, AT_ONCE, async (at) => {
    const chunk = voxelsOf(type, chunks[0] * chunks[1] * chunks[2]);
    const [top, left] = [at[1] * chunks[1], at[2] * chunks[2]];
    const count = Math.min(chunks[2], width - left);
    for (let k = 0; k < planes; k++)
      for (let j = 0; j < Math.min(chunks[1], height - top); j++) {
        const from = (k * height + top + j) * width + left;
        chunk.set(voxels.subarray(from, from + count), (k * chunks[1] + j) * chunks[2]);
      }
    await writeChunk(array, at, chunk);
  });
}

/** Writes the chunks of one row of chunks of a picture; `voxels`: its rows, fewer than a chunk has at the far end. */
export async function writeRows(array: ZarrArray, row: number, voxels: StoredVoxels): Promise<void> {
  const { type, shape, chunks } = array;
  const width = shape[2];
  const columns = Array.from({ length: Math.ceil(width / chunks[2]) }, (_, n) => n);
  await inParallel(columns, AT_ONCE, async (column) => {
    const chunk = voxelsOf(type, chunks[0] * chunks[1] * chunks[2]);
    const left = column * chunks[2];
    const count = Math.min(chunks[2], width - left);
    for (let at = 0; at * width < voxels.length; at++) {
      const from = at * width + left;
      chunk.set(voxels.subarray(from, from + count), at * chunks[2]);
    }
    await writeChunk(array, [0, row, column], chunk);
  });
}
