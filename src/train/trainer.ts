import { fail } from '../core/index.ts';
import {
  augment,
  boxShape,
  type Case,
  type Sample,
  type SampleArrays,
  type Shape3,
  voxelCount,
} from '../imaging/index.ts';
import type { HostArray, Processes } from '../machine/index.ts';
import { type Loaded, type Session, totalSent } from '../run/index.ts';
import { CaseOrder } from './case-order.ts';
import { CaseReader } from './case-reader.ts';
import { classVoxels } from './class-voxels.ts';
import type { TrainConfig } from './config.ts';
import type { StepLine } from './log.ts';
import { augmentationOf, learningRateOf, prepareOptions, trainingGraph } from './model.ts';
import { sampleBox, sampleShape } from './patches.ts';
import type { Programs } from './programs.ts';
import { augmentedFeeds, type BoxFeeds, type StepSample } from './sample-feeds.ts';
import { hardDice } from './scores.ts';

export interface TrainerParts {
  readonly config: TrainConfig;
  readonly session: Session;
  readonly programs: Programs;
  readonly cases: readonly Case[];
  readonly classes: readonly string[];
  /** Bytes of volumes that the process holds beside the tensors while it trains on volumes of a shape, or patches of them. */
  readonly hostBytes: (shape: Shape3) => number;
}

/** The volumes of a step, prepared and changed: as one array each, or read a box at a time. */
interface Batch extends BoxFeeds {
  readonly size: Shape3;
  /** Voxels of the volume that the first of them is, or is a patch of. */
  readonly volume: Shape3;
  readonly ids: readonly string[];
}

/** Does training steps: which cases a step takes, how they are changed, and what comes of it follow from its number alone. */
export class Trainer {
  readonly parts: TrainerParts;
  private order: CaseOrder;
  readonly reader: CaseReader;
  /** Where changed samples are written, step after step: as large as the largest batch so far. */
  private room: SampleArrays = { image: new Float32Array(0), labels: new Uint8Array(0) };

  constructor(parts: TrainerParts) {
    this.parts = parts;
    this.order = new CaseOrder(parts.cases.length, parts.config.seed);
    this.reader = new CaseReader(
      prepareOptions(parts.config),
      parts.config.batch,
      parts.session.world.processes,
    );
  }

  /** Steps of a pass over the cases. */
  get stepsPerEpoch(): number {
    return Math.ceil(this.parts.cases.length / this.parts.config.batch);
  }

  /**
   * Loads the program of a step (counted from 0), so that the variables of the session exist, and learns what the order of
   * cases depends on, which is kept in `file`. Before the first step.
   */
  async prepare(step: number, file: string, processes: Processes): Promise<void> {
    const { config, cases, classes } = this.parts;
    if (config.sampling === 'balanced') {
      const count = async (entry: Case) => {
        const facts = (await this.reader.source(entry)).classes ?? [];
        return classes.map((_, cls) => facts[cls]?.count ?? 0);
      };
      const voxels = await classVoxels(cases, count, file, processes);
      this.order = new CaseOrder(cases.length, config.seed, voxels);
    }
    const [first] = this.indices(step);
    const { shape } = await this.reader.source(cases[first]);
    this.program(sampleShape(shape, config.patch), shape);
  }

  /** Does one step, counted from 0. */
  async step(step: number): Promise<StepLine> {
    const { config, classes } = this.parts;
    const begun = performance.now();
    const sentBefore = await totalSent(this.parts.session.world);
    const { image, labels, size, volume, ids } = await this.batch(step);
    const learningRate = learningRateOf(config, step);
    const program = this.program(size, volume);
    this.parts.session.tracer?.next(`step ${step + 1}`);
    const out = await program.run({
      image,
      labels,
      step: Int32Array.of(step),
      learning_rate: Float64Array.of(learningRate),
    });
    const scalar = (name: string): number | undefined => out[name]?.[0];
    const loss = out.loss[0];
    if (!Number.isFinite(loss))
      fail({
        where: `step ${step + 1}`,
        problem: `the loss is ${loss} (case ${ids.join(', ')}, learning rate ${learningRate})`,
        hint: 'Start anew with a lower learning rate, or with "clipNorm"; the last checkpoint is from before',
      });
    return {
      kind: 'step',
      step: step + 1,
      epoch: this.order.epochOf(step * config.batch) + 1,
      cases: ids,
      loss,
      crossEntropy: out.cross_entropy[0],
      diceCase: scalar('dice_case'),
      diceGlobal: scalar('dice_global'),
      dice: hardDice(
        { both: out.count_both, predicted: out.count_predicted, truth: out.count_true },
        classes,
      ),
      softDice: softDice(out, classes),
      learningRate,
      seconds: (performance.now() - begun) / 1000,
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
      bytesSent: (await totalSent(this.parts.session.world)) - sentBefore,
    };
  }

  private program(size: Shape3, volume: Shape3): Loaded {
    const { config, programs, classes, hostBytes } = this.parts;
    return programs.get(
      `train ${size.join('x')}`,
      () => trainingGraph(config, classes.length, size).graph,
      hostBytes(volume),
    );
  }

  /** Numbers of the cases of a step. */
  private indices(step: number): number[] {
    const { batch } = this.parts.config;
    return Array.from({ length: batch }, (_, i) => this.order.at(step * batch + i));
  }

  private async batch(step: number): Promise<Batch> {
    const { config, cases } = this.parts;
    const indices = this.indices(step);
    const ids = indices.map((i) => cases[i].id);
    let size: Shape3 | undefined;
    let volume: Shape3 | undefined;
    let only: Sample | undefined;
    const apart: StepSample[] = [];
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
      if (whole === undefined) {
        apart.push({ source: () => this.reader.source(entry), key, start: box.start, where });
        continue;
      }
      const { image, labels } = whole;
      if (labels === undefined) return fail({ where: entry.image, problem: 'has no label map to train on' });
      const room = this.roomOf(image.length, i);
      const sample = named(where, () => augment({ image, labels, shape }, augmentationOf(config), key, room));
      // A sample that is alone needs no copy where nothing changed it.
      if (indices.length === 1) only = sample;
      else {
        if (sample.image !== room.image) room.image.set(sample.image);
        if (sample.labels !== room.labels) room.labels.set(sample.labels!);
      }
    }
    const facts = { size: size!, volume: volume!, ids };
    if (apart.length > 0) return { ...augmentedFeeds(apart, augmentationOf(config)), ...facts };
    const all = indices.length * voxelCount(size!);
    const { image, labels } = only ?? this.room;
    return { image: image.subarray(0, all), labels: labels!.subarray(0, all), ...facts };
  }

  /** The place of a batch's sample i among samples of so many voxels. */
  private roomOf(voxels: number, i: number): SampleArrays {
    const all = voxels * this.parts.config.batch;
    if (this.room.image.length < all)
      this.room = { image: new Float32Array(all), labels: new Uint8Array(all) };
    const { image, labels } = this.room;
    const [from, to] = [i * voxels, (i + 1) * voxels];
    return { image: image.subarray(from, to), labels: labels.subarray(from, to) };
  }
}

/** Work whose errors say what it was. */
function named<T>(where: string, work: () => T): T {
  try {
    return work();
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

function softDice(
  out: Readonly<Record<string, HostArray>>,
  classes: readonly string[],
): Record<string, number> {
  return Object.fromEntries(
    classes.flatMap((name, cls) => {
      const score = out[`soft_dice_${cls}`];
      return score === undefined ? [] : [[name, score[0]]];
    }),
  );
}
