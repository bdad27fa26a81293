import { RandomStream } from '../../core/index.ts';
import { type Shape3, type VoxelBox, wholeBox } from '../../imaging/index.ts';
import type { TrainConfig } from '../config/config.ts';

/** Marks the random numbers of this file. */
const PLACE = 5;

/** What a step takes of a volume, if not all: a patch, or in 2-D a single slice. */
export function stepPatch({ patch, slices }: Pick<TrainConfig, 'patch' | 'slices'>): Shape3 | undefined {
  return slices === undefined ? patch : [1, Infinity, Infinity];
}

/** Voxels of a sample of a step: those of the volume, or of a patch, which ends where the volume does. */
export function sampleShape(volume: Shape3, patch?: Shape3): Shape3 {
  if (patch === undefined) return volume;
  const along = (axis: 0 | 1 | 2) => Math.min(patch[axis], volume[axis]);
  return [along(0), along(1), along(2)];
}

/**
 * The box of a changed volume that a sample of a step shows: all of it, or a patch, with every place as likely. Drawn from the
 * seed and the number of the sample, counted over all steps.
 */
export function sampleBox(volume: Shape3, patch: Shape3 | undefined, seed: number, sample: number): VoxelBox {
  if (patch === undefined) return wholeBox(volume);
  const random = new RandomStream(seed, PLACE, sample);
  const size = sampleShape(volume, patch);
  const from = (axis: 0 | 1 | 2) => Math.floor(random.uniform() * (volume[axis] - size[axis] + 1));
  const start: Shape3 = [from(0), from(1), from(2)];
  return { start, end: [start[0] + size[0], start[1] + size[1], start[2] + size[2]] };
}
