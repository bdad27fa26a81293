import { evenCuts } from '../../core/index.ts';
import type { Case, Shape3 } from '../../imaging/index.ts';
import type { TrainConfig } from '../config/config.ts';
import type { CaseReader } from './case-reader.ts';
import { PIECE_VOXELS } from './cases.ts';
import { sampleShape, stepPatch } from './patches.ts';
import { type BoxFeeds, boxFeeds, moved } from './sample-feeds.ts';
import { readSlices } from './slices.ts';

/** What the network looks at in one go of a case as it is. */
export interface CasePass extends BoxFeeds {
  /** Of one sample. */
  readonly size: Shape3;
  /** Of the case. */
  readonly volume: Shape3;
  /** Samples. */
  readonly batch: number;
  /** Share of the case's voxels; those of all its passes add up to 1. */
  readonly share: number;
}

/** A case in one pass; in 2-D all its slices, about as many at a time as a training step has. */
export async function casePasses(
  config: Pick<TrainConfig, 'slices' | 'patch' | 'batch'>,
  reader: CaseReader,
  entry: Case,
): Promise<readonly CasePass[]> {
  const { slices: adjacent, batch } = config;
  if (adjacent === undefined) {
    const { image, labels, shape } = await reader.feeds(entry);
    return [{ image, labels, size: shape, volume: shape, batch: 1, share: 1 }];
  }
  const source = await reader.source(entry);
  const [depth] = source.shape;
  const cuts = evenCuts(depth, Math.ceil(depth / batch));
  return cuts.slice(1).map((end, n) => {
    const first = cuts[n];
    const feeds = boxFeeds(
      PIECE_VOXELS,
      end - first,
      {
        image: (i, box, channels) =>
          readSlices((slab) => source.image(slab), depth, adjacent, moved(box, [first + i, 0, 0]), channels),
        labels: (i, box) => source.labels(moved(box, [first + i, 0, 0])),
      },
      adjacent,
    );
    const size = sampleShape(source.shape, stepPatch(config));
    return { ...feeds, size, volume: source.shape, batch: end - first, share: (end - first) / depth };
  });
}
