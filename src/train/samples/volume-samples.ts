import { fail } from '../../core/index.ts';
import {
  augmentBox,
  boxShape,
  type Case,
  imageClassOf,
  type SampleArrays,
  type Shape3,
  voxelCount,
} from '../../imaging/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { augmentationOf } from '../config/model.ts';
import { channelCount } from '../config/normalization.ts';
import { type BoundarySample, boundaryFeed } from './boundary-feed.ts';
import type { CaseReader } from './case-reader.ts';
import { sampleBox } from './patches.ts';
import { augmentedFeeds, type StepSample } from './sample-feeds.ts';
import type { Batch, Samples } from './samples.ts';

/** Samples that are whole volumes, or patches of them: one of each case of a step. */
export class VolumeSamples implements Samples {
  private readonly config: TrainConfig;
  private readonly cases: readonly Case[];
  private readonly reader: CaseReader;
  private readonly regions: readonly (readonly number[])[] | undefined;
  private readonly classes: readonly string[] | undefined;
  /** Where changed samples are written, step after step: as large as the largest batch so far. */
  private room: SampleArrays = { image: new Float32Array(0), labels: new Uint8Array(0) };

  /**
   * `regions`: labels of each score, where the loss takes distances to their boundaries; `classes`: their names, where each image as a whole
   * has one label.
   */
  constructor(
    config: TrainConfig,
    cases: readonly Case[],
    reader: CaseReader,
    { regions, classes }: { regions?: readonly (readonly number[])[]; classes?: readonly string[] } = {},
  ) {
    this.regions = regions;
    this.classes = classes;
    this.config = config;
    this.cases = cases;
    this.reader = reader;
  }

  async batch(step: number, indices: readonly number[]): Promise<Batch> {
    const { config, cases } = this;
    const ids = indices.map((i) => cases[i].id);
    let size: Shape3 | undefined;
    let volume: Shape3 | undefined;
    let only: { readonly image: Float32Array; readonly labels?: Uint8Array } | undefined;
    const apart: StepSample[] = [];
    const bounded: BoundarySample[] = [];
    for (const [i, caseIndex] of indices.entries()) {
      const entry = cases[caseIndex];
      const where = `step ${step + 1}, augmentation of case ${entry.id}`;
      // Counts samples, so that a case that comes twice in a batch is changed in two ways.
      const key = { seed: config.seed, caseIndex, step: step * config.batch + i };
      const whole = config.patch === undefined ? await this.reader.whole(entry) : undefined;
      const { shape } = whole ?? (await this.reader.source(entry));
      volume ??= shape;
      const box = sampleBox(shape, config.patch, config.seed, key.step);
      size ??= boxShape(box);
      checkSameShape(size, boxShape(box), ids, i);
      const own = { source: () => this.reader.source(entry), key, start: box.start, where };
      if (whole === undefined) {
        apart.push(own);
        bounded.push({ ...own, entry });
        continue;
      }
      const { image, labels } = whole;
      if (labels === undefined && this.classes === undefined)
        return fail({ where: entry.image, problem: 'has no label map to train on' });
      const room = this.roomOf(image.length, i);
      const source = await this.reader.source(entry);
      const sample = await named(where, () =>
        augmentBox(source, augmentationOf(config), key, undefined, { into: room }),
      );
      // A sample that is alone needs no copy where nothing changed it.
      if (indices.length === 1) only = sample;
      else {
        if (sample.image !== room.image) room.image.set(sample.image);
        if (sample.labels !== undefined && sample.labels !== room.labels) room.labels.set(sample.labels);
      }
      bounded.push({ ...own, entry, labels: sample.labels === labels ? labels : room.labels });
    }
    const { regions, classes } = this;
    // One label an image stays what it is, whatever becomes of the voxels.
    const ofImages =
      classes && Uint8Array.from(indices, (caseIndex) => imageClassOf(cases[caseIndex], classes));
    const distances = regions && boundaryFeed(bounded, config, regions);
    const facts = { size: size!, volume: volume!, ids, distances };
    if (apart.length > 0)
      return {
        ...augmentedFeeds(apart, augmentationOf(config), channelCount(config)),
        ...(ofImages && { labels: ofImages }),
        ...facts,
      };
    const all = indices.length * voxelCount(size!);
    const { image, labels } = only ?? this.room;
    return { image: image.subarray(0, all), labels: ofImages ?? labels!.subarray(0, all), ...facts };
  }

  /** The place of a batch's sample i among samples of so many voxels. */
  private roomOf(voxels: number, i: number): SampleArrays {
    const all = voxels * this.config.batch;
    if (this.room.image.length < all)
      this.room = { image: new Float32Array(all), labels: new Uint8Array(all) };
    const { image, labels } = this.room;
    const [from, to] = [i * voxels, (i + 1) * voxels];
    return { image: image.subarray(from, to), labels: labels.subarray(from, to) };
  }
}

/** Work whose errors say what it was. */
async function named<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    return fail({ where, problem: error instanceof Error ? error.message : String(error) }, { cause: error });
  }
}

function checkSameShape(size: Shape3, shape: Shape3, ids: readonly string[], i: number): void {
  if (shape.every((n, axis) => n === size[axis])) return;
  fail({
    where: 'batch',
    problem: `its cases must have one shape`,
    expected: `${size.join('x')} as case ${ids[0]}`,
    found: `${shape.join('x')} for case ${ids[i]}`,
    hint: 'Give a size to resample all to, a patch that fits into each, or a batch of 1',
  });
}
