import { type Box, boxVolume, fail, length } from '../../core/index.ts';
import {
  augmentBox,
  type Case,
  IGNORED,
  type Shape3,
  SignedDistances,
  type VoxelBox,
  voxelCount,
} from '../../imaging/index.ts';
import type { Feed } from '../../run/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { augmentationOf, prepareOptions } from '../config/model.ts';
import { gridOf, PIECE_VOXELS } from './cases.ts';
import { moved, type StepSample } from './sample-feeds.ts';

// Distances to boundaries are those of the changed labels, worked out anew in each step from the whole of them. A map that was moved
// along with the voxels would be wrong by what zooms, bends and fake lesions do to distances; one of a part of the volume would not
// know of the boundaries beyond. So each process makes all labels of its samples, and every box has the numbers of the whole.

/** A sample whose distances are asked for. */
export interface BoundarySample extends StepSample {
  readonly entry: Case;
  /** All labels of the changed volume, where they are made already. */
  readonly labels?: Uint8Array;
}

/** The distances of a step as an input [batch, depth, height, width, class]. `regions`: labels of each score. */
export function boundaryFeed(
  samples: readonly BoundarySample[],
  config: TrainConfig,
  regions: readonly (readonly number[])[],
): Feed {
  const made = samples.map((): Promise<SignedDistances> | undefined => undefined);
  const distancesOf = (i: number): Promise<SignedDistances> => {
    made[i] ??= distancesOfSample(samples[i], config, regions);
    return made[i];
  };
  const read = async (box: Box): Promise<Float32Array> => {
    const [batch, depth, height, width, classes] = box;
    const voxels: VoxelBox = {
      start: [depth.start, height.start, width.start],
      end: [depth.end, height.end, width.end],
    };
    const all = new Float32Array(boxVolume(box));
    const each = all.length / length(batch);
    for (let i = batch.start; i < batch.end; i++) {
      const there = moved(voxels, samples[i].start);
      all.set((await distancesOf(i)).read(there, classes.start, classes.end), (i - batch.start) * each);
    }
    return all;
  };
  return { read, most: PIECE_VOXELS };
}

async function distancesOfSample(
  { source, key, entry, where, labels: known }: BoundarySample,
  config: TrainConfig,
  regions: readonly (readonly number[])[],
): Promise<SignedDistances> {
  const { shape } = await source();
  const grid = await gridOf(entry, prepareOptions(config));
  const change = async (slab: VoxelBox): Promise<Uint8Array> => {
    const changed = await augmentBox(await source(), augmentationOf(config), key, slab, {
      most: PIECE_VOXELS,
    });
    return changed.labels ?? fail({ where, problem: 'has no label map to train on' });
  };
  const labels = known ?? (await inSlabs(shape, change));
  return new SignedDistances(labels, shape, grid, { regions, ...(config.ignore && { ignore: IGNORED }) });
}

/** Labels of a whole volume, made a slab at a time. */
async function inSlabs(shape: Shape3, make: (slab: VoxelBox) => Promise<Uint8Array>): Promise<Uint8Array> {
  const [depth, height, width] = shape;
  const labels = new Uint8Array(voxelCount(shape));
  const slices = Math.max(1, Math.floor(PIECE_VOXELS / (height * width)));
  for (let k = 0; k < depth; k += slices)
    labels.set(
      await make({ start: [k, 0, 0], end: [Math.min(depth, k + slices), height, width] }),
      k * height * width,
    );
  return labels;
}
