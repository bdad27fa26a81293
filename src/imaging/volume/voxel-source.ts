import type { IntensityRange } from './normalization.ts';
import { type Shape3, voxelCount } from './volume.ts';

/** A range of voxels, start to end (exclusive), along (depth, height, width). */
export interface VoxelBox {
  readonly start: Shape3;
  readonly end: Shape3;
}

/** What is known of the voxels of one label value in the whole volume. */
export interface ClassFacts {
  /** Voxels that have the label. */
  readonly count: number;
  /** Mean of the normalised image over them, of its first channel; 0 where there are none. */
  readonly mean: number;
  /** The same of each channel, where there are several. */
  readonly means?: readonly number[];
}

/** A prepared case whose voxels are read a box at a time, so that nobody needs to hold the whole. */
export interface VoxelSource {
  readonly id: string;
  /** Voxels of the whole (depth, height, width). */
  readonly shape: Shape3;
  /** Channels of the image; 1 where absent. */
  readonly channels?: number;
  /** Where the values of each channel lie; absent for one of 0 to 1. */
  readonly ranges?: readonly IntensityRange[];
  /** By label value 0, 1, 2...; absent where the case has no label map. */
  readonly classes?: readonly ClassFacts[];
  /** The normalised image of a box within the volume, row-major (depth, height, width), of one channel: the first by default. */
  image(box: VoxelBox, channel?: number): Promise<Float32Array>;
  /** The labels of a box; fails where the case has none. */
  labels(box: VoxelBox): Promise<Uint8Array>;
  /**
   * The whole, to be read only, where it lies in memory: then that is cheaper than copies of boxes. The image is [channel, depth,
   * height, width].
   */
  readonly whole?: { readonly image: Float32Array; readonly labels?: Uint8Array };
}

/** Voxels along each axis of a box. */
export function boxShape({ start, end }: VoxelBox): Shape3 {
  return [end[0] - start[0], end[1] - start[1], end[2] - start[2]];
}

/** One channel of an image [channel, depth, height, width], as a view of it. */
export function channelOf(image: Float32Array, shape: Shape3, channel: number): Float32Array {
  const voxels = voxelCount(shape);
  return voxels === image.length ? image : image.subarray(channel * voxels, (channel + 1) * voxels);
}

/** The box of a whole volume. */
export function wholeBox(shape: Shape3): VoxelBox {
  return { start: [0, 0, 0], end: shape };
}

/** A box in layers of not too many voxels, each of at least one slice. */
export function* layersOf({ start, end }: VoxelBox, most: number): Iterable<VoxelBox> {
  const plane = (end[1] - start[1]) * (end[2] - start[2]);
  const thick = Math.max(1, Math.floor(most / Math.max(1, plane)));
  for (let k = start[0]; k < end[0]; k += thick)
    yield { start: [k, start[1], start[2]], end: [Math.min(k + thick, end[0]), end[1], end[2]] };
}

/** A box in layers of not too many voxels, and these in rows where a slice has more: row-major as the box is. */
export function* rowsOf(box: VoxelBox, most: number): Iterable<VoxelBox> {
  for (const { start, end } of layersOf(box, most)) {
    if (end[0] - start[0] !== 1) {
      yield { start, end };
      continue;
    }
    const high = Math.max(1, Math.floor(most / Math.max(1, end[2] - start[2])));
    for (let j = start[1]; j < end[1]; j += high)
      yield { start: [start[0], j, start[2]], end: [end[0], Math.min(j + high, end[1]), end[2]] };
  }
}
