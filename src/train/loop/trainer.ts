import { fail } from '../../core/index.ts';
import type { Case, Shape3 } from '../../imaging/index.ts';
import type { HostArray, Processes } from '../../machine/index.ts';
import { type Loaded, type Planning, type Session, totalSent } from '../../run/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { learningRateOf, prepareOptions, trainingGraph } from '../config/model.ts';
import { type Programs, stepKey } from '../config/programs.ts';
import type { StepLine } from '../record/log.ts';
import { absentClasses, hardDice } from '../record/scores.ts';
import { CaseOrder } from '../samples/case-order.ts';
import { CaseReader } from '../samples/case-reader.ts';
import { classVoxels } from '../samples/class-voxels.ts';
import { sampleShape, stepPatch } from '../samples/patches.ts';
import type { Samples } from '../samples/samples.ts';
import { SliceSamples } from '../samples/slice-samples.ts';
import { VolumeSamples } from '../samples/volume-samples.ts';

export interface TrainerParts {
  readonly config: TrainConfig;
  readonly session: Session;
  readonly programs: Programs;
  readonly cases: readonly Case[];
  readonly classes: readonly string[];
  /** Bytes of volumes that the process holds beside the tensors while it trains on volumes of a shape, or parts of them. */
  readonly hostBytes: (shape: Shape3) => number;
}

/** Does training steps: which cases a step takes, how they are changed, and what comes of it follow from its number alone. */
export class Trainer {
  readonly parts: TrainerParts;
  private order: CaseOrder;
  readonly reader: CaseReader;
  private readonly samples: Samples;

  constructor(given: TrainerParts) {
    const parts = { ...given, cases: given.cases.map((entry) => ({ ...entry, checkWindow: true })) };
    this.parts = parts;
    this.order = new CaseOrder(parts.cases.length, parts.config.seed);
    this.reader = new CaseReader(
      prepareOptions(parts.config),
      this.casesPerStep,
      parts.session.world.processes,
    );
    const { config, cases } = parts;
    this.samples =
      config.slices === undefined
        ? new VolumeSamples(config, cases, this.reader)
        : new SliceSamples(config, config.slices, cases, this.reader);
  }

  /** The slices of a step come from one case. */
  private get casesPerStep(): number {
    const { slices, batch } = this.parts.config;
    return slices === undefined ? batch : 1;
  }

  /** Steps of a pass over the cases. */
  get stepsPerEpoch(): number {
    return Math.ceil(this.parts.cases.length / this.casesPerStep);
  }

  /**
   * Loads the program of a step (counted from 0), so that the variables of the session exist, and learns what the order of
   * cases depends on, which is kept in `file`. Before the first step.
   */
  async prepare(step: number, file: string, processes: Processes, planning: Planning): Promise<void> {
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
    await planning(() => this.program(sampleShape(shape, stepPatch(config)), shape));
  }

  /** Does one step, counted from 0. */
  async step(step: number): Promise<StepLine> {
    const { config, classes } = this.parts;
    const begun = performance.now();
    const sentBefore = await totalSent(this.parts.session.world);
    const epoch = this.order.epochOf(step * this.casesPerStep);
    const { image, labels, size, volume, ids, slices } = await this.samples.batch(
      step,
      this.indices(step),
      epoch,
    );
    const learningRate = learningRateOf(config, step);
    const program = await this.program(size, volume);
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
      epoch: epoch + 1,
      cases: ids,
      slices,
      loss,
      crossEntropy: out.cross_entropy[0],
      diceCase: scalar('dice_case'),
      diceGlobal: scalar('dice_global'),
      dice: hardDice(
        { both: out.count_both, predicted: out.count_predicted, truth: out.count_true },
        classes,
      ),
      absent: absentClasses(out.count_true, classes),
      softDice: softDice(out, classes),
      learningRate,
      seconds: (performance.now() - begun) / 1000,
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
      bytesSent: (await totalSent(this.parts.session.world)) - sentBefore,
    };
  }

  private program(size: Shape3, volume: Shape3): Promise<Loaded> {
    const { config, programs, classes, hostBytes } = this.parts;
    return programs.get(
      stepKey(size),
      () => trainingGraph(config, classes.length, size).graph,
      hostBytes(volume),
    );
  }

  /** Numbers of the cases of a step. */
  private indices(step: number): number[] {
    const { casesPerStep } = this;
    return Array.from({ length: casesPerStep }, (_, i) => this.order.at(step * casesPerStep + i));
  }
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
