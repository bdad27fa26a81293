import { fail } from '../core/index.ts';
import { augment, type Case, type Sample, type Shape3 } from '../imaging/index.ts';
import type { HostArray } from '../machine/index.ts';
import type { Loaded, Session } from '../run/index.ts';
import { CaseOrder, CaseStore } from './cases.ts';
import type { TrainConfig } from './config.ts';
import type { StepLine } from './log.ts';
import { augmentationOf, learningRateOf, prepareOptions, trainingGraph } from './model.ts';
import type { Programs } from './programs.ts';
import { hardDice } from './scores.ts';

export interface TrainerParts {
  readonly config: TrainConfig;
  readonly session: Session;
  readonly programs: Programs;
  readonly cases: readonly Case[];
  readonly classes: readonly string[];
}

/** The volumes of a step, prepared and changed, as one array each. */
interface Batch {
  readonly image: Float32Array;
  readonly labels: Uint8Array;
  readonly size: Shape3;
  readonly ids: readonly string[];
}

/** Does training steps: which cases a step takes, how they are changed, and what comes of it follow from its number alone. */
export class Trainer {
  readonly parts: TrainerParts;
  private readonly order: CaseOrder;
  /** The prepared training cases. */
  readonly store: CaseStore;

  constructor(parts: TrainerParts) {
    this.parts = parts;
    this.order = new CaseOrder(parts.cases.length, parts.config.seed);
    this.store = new CaseStore(prepareOptions(parts.config));
  }

  /** Steps of a pass over the cases. */
  get stepsPerEpoch(): number {
    return Math.ceil(this.parts.cases.length / this.parts.config.batch);
  }

  /** The program of a step (counted from 0), loaded: so the variables of the session exist. */
  async prepare(step: number): Promise<Loaded> {
    const [first] = this.indices(step);
    return this.program((await this.store.get(this.parts.cases[first])).shape);
  }

  /** Does one step, counted from 0. */
  async step(step: number): Promise<StepLine> {
    const { config, classes } = this.parts;
    const begun = performance.now();
    const sentBefore = this.sent();
    const { image, labels, size, ids } = await this.batch(step);
    const learningRate = learningRateOf(config, step);
    const program = this.program(size);
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
        hint: 'Start anew with a lower learning rate, or with "clipNorm" in the optimizer; the last checkpoint is from before',
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
      bytesSent: this.sent() - sentBefore,
    };
  }

  private sent(): number {
    const { exchangeBytes, allReduceBytes } = this.parts.session.traffic;
    return exchangeBytes + allReduceBytes;
  }

  private program(size: Shape3): Loaded {
    const { config, programs, classes } = this.parts;
    return programs.get(`train ${size.join('x')}`, () => trainingGraph(config, classes.length, size).graph);
  }

  /** Numbers of the cases of a step. */
  private indices(step: number): number[] {
    const { batch } = this.parts.config;
    return Array.from({ length: batch }, (_, i) => this.order.at(step * batch + i));
  }

  private async batch(step: number): Promise<Batch> {
    const { config, cases } = this.parts;
    const samples: Sample[] = [];
    const ids: string[] = [];
    for (const [i, caseIndex] of this.indices(step).entries()) {
      const entry = cases[caseIndex];
      const prepared = await this.store.get(entry);
      if (prepared.labels === undefined)
        fail({ where: entry.image, problem: 'has no label map to train on' });
      // Counts samples, so that a case that comes twice in a batch is changed in two ways.
      const key = { seed: config.seed, caseIndex, step: step * config.batch + i };
      const { image, labels, shape } = prepared;
      samples.push(augment({ image, labels, shape }, augmentationOf(config), key));
      ids.push(entry.id);
    }
    return { ...joined(samples, ids), ids };
  }
}

/** Samples of one shape, one behind the other. */
function joined(samples: readonly Sample[], ids: readonly string[]): Omit<Batch, 'ids'> {
  const [{ image, labels, shape: size }] = samples;
  if (samples.length === 1) return { image, labels: labels!, size };
  samples.forEach(({ shape }, i) => {
    if (shape.some((n, axis) => n !== size[axis]))
      fail({
        where: 'batch',
        problem: `its cases must have one shape`,
        expected: `${size.join('x')} as case ${ids[0]}`,
        found: `${shape.join('x')} for case ${ids[i]}`,
        hint: 'Give a size to resample all to, or a batch of 1',
      });
  });
  const images = new Float32Array(samples.length * image.length);
  const maps = new Uint8Array(images.length);
  samples.forEach((sample, i) => {
    images.set(sample.image, i * image.length);
    maps.set(sample.labels!, i * image.length);
  });
  return { image: images, labels: maps, size };
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
