import { augmentBox, type Case, type Shape3, type VoxelBox, type VoxelSource } from '../../imaging/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { augmentationOf } from '../config/model.ts';
import type { CaseReader } from './case-reader.ts';
import { PIECE_VOXELS } from './cases.ts';
import { sampleShape, stepPatch } from './patches.ts';
import { moved, pairedFeeds } from './sample-feeds.ts';
import type { Batch, Samples } from './samples.ts';
import { type CaseSlices, drawSlices } from './slice-order.ts';
import { readSlices } from './slices.ts';

/**
 * Samples that are single slices of a case, with the ones around them as channels. A slice is cut out of its changed volume, of
 * which no more is made than the slab of its channels: so all changes work as in 3-D.
 */
export class SliceSamples implements Samples {
  private readonly config: TrainConfig;
  private readonly adjacent: number;
  private readonly cases: readonly Case[];
  private readonly reader: CaseReader;
  private readonly holders = new Map<string, CaseSlices['holders']>();

  constructor(config: TrainConfig, adjacent: number, cases: readonly Case[], reader: CaseReader) {
    this.config = config;
    this.adjacent = adjacent;
    this.cases = cases;
    this.reader = reader;
  }

  async batch(step: number, [caseIndex]: readonly number[], epoch: number): Promise<Batch> {
    const { config, adjacent } = this;
    const entry = this.cases[caseIndex];
    const { shape } = await this.reader.source(entry);
    const [depth] = shape;
    // A balanced order may come to a case twice in an epoch; a step's number never comes twice.
    const visits = config.sampling === 'balanced' ? step : epoch;
    const from: CaseSlices = { depth, holders: await this.holdersOf(entry) };
    const slices = drawSlices(config.seed, { step, caseIndex, visits }, from, config.batch);
    const where = `step ${step + 1}, augmentation of case ${entry.id}`;
    const samples = slices.map((slice, i) => ({
      where: `${where}, slice ${slice}`,
      slice,
      key: { seed: config.seed, caseIndex, step: step * config.batch + i },
    }));
    const changes = augmentationOf(config);
    const feeds = pairedFeeds(
      samples,
      async (i, box, channels) => {
        const { slice, key } = samples[i];
        const source = await this.reader.source(entry);
        const wanted = moved(box, [slice, 0, 0]);
        let labels: Uint8Array | undefined;
        const image = await readSlices(
          async (slab) => {
            const changed = await augmentBox(source, changes, key, slab, { most: PIECE_VOXELS });
            if (changed.labels) labels = sliceOf(changed.labels, slab, wanted);
            return changed.image;
          },
          ...([depth, adjacent, wanted, channels] as const),
        );
        return { image, labels };
      },
      adjacent,
    );
    return { ...feeds, size: sampleShape(shape, stepPatch(config)), volume: shape, ids: [entry.id], slices };
  }

  /** For each class that a case holds, the slices that hold it, where the sampling asks for it: one look at all its labels. */
  private async holdersOf(entry: Case): Promise<CaseSlices['holders']> {
    if (this.config.sampling !== 'balanced') return undefined;
    const known = this.holders.get(entry.id) ?? (await sliceHolders(await this.reader.source(entry)));
    this.holders.set(entry.id, known);
    return known;
  }
}

/** The numbers of the one slice of a slab that a box is; undefined where it is none, as in a slab of some channels only. */
function sliceOf(slab: Uint8Array, { start, end }: VoxelBox, wanted: VoxelBox): Uint8Array | undefined {
  const at = wanted.start[0] - start[0];
  if (at < 0 || wanted.end[0] > end[0]) return undefined;
  const plane = slab.length / (end[0] - start[0]);
  return slab.subarray(at * plane, (at + 1) * plane);
}

/** For each class above 0 that a case holds, the slices that hold it. */
export async function sliceHolders(source: VoxelSource): Promise<number[][]> {
  const [depth, height, width] = source.shape;
  const holders: number[][] = [];
  const together = Math.max(1, Math.floor(PIECE_VOXELS / (height * width)));
  for (let k = 0; k < depth; k += together) {
    const end: Shape3 = [Math.min(depth, k + together), height, width];
    const labels = await source.labels({ start: [k, 0, 0], end });
    for (let slice = k; slice < end[0]; slice++) {
      const from = (slice - k) * height * width;
      for (const cls of new Set(labels.subarray(from, from + height * width))) {
        holders[cls] ??= [];
        holders[cls].push(slice);
      }
    }
  }
  return holders.slice(1).filter((slices) => slices !== undefined);
}
