import type { Shape3 } from '../../imaging/index.ts';
import type { Feed } from '../../run/index.ts';
import type { BoxFeeds } from './sample-feeds.ts';

/** The samples of a step, prepared and changed: as one array each, or read a box at a time. */
export interface Batch extends BoxFeeds {
  /** Signed distances to the boundaries of regions, where the loss takes them. */
  readonly distances?: Feed;
  /** Of one sample (depth, height, width). */
  readonly size: Shape3;
  /** Voxels of the volume that the first of them is, or is a part of. */
  readonly volume: Shape3;
  /** Of the cases that they come from. */
  readonly ids: readonly string[];
  /** In 2-D, the place of each along the depth of its case. */
  readonly slices?: readonly number[];
}

/** Makes the samples of steps. */
export interface Samples {
  /** The samples of a step from some cases, given by their numbers; `epoch` counts the passes over all cases before it. */
  batch(step: number, cases: readonly number[], epoch: number): Promise<Batch>;
}
