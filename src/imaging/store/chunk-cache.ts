import { inParallel } from '../volume/in-parallel.ts';
import type { Shape3 } from '../volume/volume.ts';
import type { VoxelBox } from '../volume/voxel-source.ts';
import { chunkFile, elementBytes, readChunk, type StoredVoxels, type ZarrArray } from './zarr-array.ts';

/** Chunks that are read and expanded at a time. */
const AT_ONCE = 4;

/** Chunks of stored arrays, kept in memory up to a number of bytes; the one unused for longest goes first. */
export class ChunkCache {
  readonly limitBytes: number;
  private readonly kept = new Map<
    string,
    { readonly voxels: Promise<StoredVoxels>; readonly bytes: number }
  >();
  private held = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** Bytes of the chunks in memory. */
  get bytes(): number {
    return this.held;
  }

  get(array: ZarrArray, at: Shape3): Promise<StoredVoxels> {
    const file = chunkFile(array, at);
    const known = this.kept.get(file);
    // A map runs in the order of insertion: the first is the one unused for longest.
    if (known !== undefined) this.kept.delete(file);
    const { chunks, type } = array;
    const bytes = chunks[0] * chunks[1] * chunks[2] * elementBytes(type);
    const entry = known ?? { voxels: readChunk(array, at), bytes };
    this.kept.set(file, entry);
    if (known !== undefined) return entry.voxels;
    this.held += bytes;
    for (const [other, { bytes }] of this.kept) {
      if (this.held <= this.limitBytes || other === file) break;
      this.kept.delete(other);
      this.held -= bytes;
    }
    entry.voxels.catch(() => this.forget(file));
    return entry.voxels;
  }

  private forget(file: string): void {
    this.held -= this.kept.get(file)?.bytes ?? 0;
    this.kept.delete(file);
  }
}

/**
 * Visits the voxels of a box of a stored array, a row of a chunk at a time: `put` gets the chunk, where the row begins in it,
 * where it belongs among the row-major voxels of the box, and its length.
 */
export async function readBox(
  array: ZarrArray,
  { start, end }: VoxelBox,
  cache: ChunkCache,
  put: (chunk: StoredVoxels, from: number, to: number, count: number) => void,
): Promise<void> {
  const { chunks } = array;
  const [height, width] = [end[1] - start[1], end[2] - start[2]];
  await inParallel(chunksIn(array, { start, end }), AT_ONCE, async (at) => {
    const chunk = await cache.get(array, at);
    const base = at.map((n, axis) => n * chunks[axis]);
    const first = base.map((n, axis) => Math.max(n, start[axis]));
    const last = base.map((n, axis) => Math.min(n + chunks[axis], end[axis]));
    const count = last[2] - first[2];
    for (let k = first[0]; k < last[0]; k++)
      for (let j = first[1]; j < last[1]; j++) {
        const from = ((k - base[0]) * chunks[1] + j - base[1]) * chunks[2] + first[2] - base[2];
        const to = ((k - start[0]) * height + j - start[1]) * width + first[2] - start[2];
        put(chunk, from, to, count);
      }
  });
}

/** Numbers (k, j, i) of the chunks that a box touches. */
function* chunksIn({ chunks }: ZarrArray, { start, end }: VoxelBox): Generator<Shape3> {
  if (start.some((n, axis) => n >= end[axis])) return;
  const first = start.map((n, axis) => Math.floor(n / chunks[axis]));
  const last = end.map((n, axis) => Math.ceil(n / chunks[axis]));
  for (let k = first[0]; k < last[0]; k++)
    for (let j = first[1]; j < last[1]; j++) for (let i = first[2]; i < last[2]; i++) yield [k, j, i];
}
