import { fail } from '../../core/index.ts';
import { accuracyOf, type Case, imageClassOf, type Shape3 } from '../../imaging/index.ts';
import type { HostArray, Processes } from '../../machine/index.ts';
import { type InOnePiece, type Loaded, type Session, totalSent } from '../../run/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { judgedNames, learningRateOf, prepareOptions, trainingGraph } from '../config/model.ts';
import { type Programs, stepKey } from '../config/programs.ts';
import { boundaryRegions, boundaryWeightOf } from '../config/task/boundary.ts';
import { classifies } from '../config/task/task.ts';
import type { StepLine } from '../record/log.ts';
import { absentClasses, hardDice, scoredImages } from '../record/scores.ts';
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
  /** Whether cases are read by boxes. */
  readonly stored: boolean;
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
      parts.stored,
    );
    const { config, cases } = parts;
    this.samples =
      config.slices === undefined
        ? new VolumeSamples(config, cases, this.reader, {
            regions: boundaryRegions(config, parts.classes.length),
            ...(classifies(config) && { classes: parts.classes }),
          })
        : new SliceSamples(config, config.slices, cases, this.reader);
  }

  /** The slices of a batch come from one case. */
  private get casesPerStep(): number {
    const { slices, batch } = this.parts.config;
    return slices === undefined ? batch : 1;
  }

  /** Steps of a pass over the cases. */
  get stepsPerEpoch(): number {
    const { accumulate = 1 } = this.parts.config;
    return Math.ceil(this.parts.cases.length / (this.casesPerStep * accumulate));
  }

  /**
   * Loads the program of a step (counted from 0), so that the variables of the session exist, and learns what the order of
   * cases depends on, which is kept in `file`. Before the first step.
   */
  async prepare(step: number, file: string, processes: Processes, planning: InOnePiece): Promise<void> {
    const { config, cases, classes } = this.parts;
    if (config.sampling === 'balanced' && classifies(config)) {
      // The order has each class but the first as often as the others, which of images is none.
      const held = cases.map((entry) => {
        const own = imageClassOf(entry, classes);
        return [0, ...classes.map((_, cls) => (cls === own ? 1 : 0))];
      });
      this.order = new CaseOrder(cases.length, config.seed, held);
    } else if (config.sampling === 'balanced') {
      const count = async (entry: Case) => {
        const facts = (await this.reader.source(entry)).classes ?? [];
        return classes.map((_, cls) => facts[cls]?.count ?? 0);
      };
      const voxels = await classVoxels(cases, count, file, processes);
      this.order = new CaseOrder(cases.length, config.seed, voxels);
    }
    const [first] = this.indices(step * (config.accumulate ?? 1));
    const { shape } = await this.reader.source(cases[first]);
    await planning(() => this.program(sampleShape(shape, stepPatch(config)), shape, 'apply'));
  }

  /** Does one step, counted from 0. */
  async step(step: number): Promise<StepLine> {
    const { config, session } = this.parts;
    const { accumulate = 1 } = config;
    const begun = performance.now();
    const sentBefore = await totalSent(session.world);
    const epoch = this.order.epochOf(step * accumulate * this.casesPerStep);
    const learningRate = learningRateOf(config, step);
    const ids: string[] = [];
    const ofImages: number[] = [];
    const slices: number[] = [];
    const outs: Readonly<Record<string, HostArray>>[] = [];
    let deviceSeconds = 0;
    for (let n = 0; n < accumulate; n++) {
      const pass = step * accumulate + n;
      const indices = this.indices(pass);
      const batch = await this.samples.batch(pass, indices, epoch);
      const last = n === accumulate - 1;
      const program = await this.program(batch.size, batch.volume, last ? 'apply' : 'gather');
      session.tracer?.next(`step ${step + 1}${accumulate > 1 ? `, batch ${n + 1}` : ''}`);
      const out = await program.run({
        image: batch.image,
        labels: batch.labels,
        ...(batch.distances && {
          distances: batch.distances,
          boundary_weight: Float64Array.of(boundaryWeightOf(config, step)),
        }),
        ...(accumulate > 1 && { pass: Int32Array.of(pass) }),
        ...(last
          ? { step: Int32Array.of(step), learning_rate: Float64Array.of(learningRate) }
          : { first: Float32Array.of(n === 0 ? 1 : 0) }),
      });
      deviceSeconds += session.worked?.seconds ?? 0;
      if (!Number.isFinite(out.loss[0]))
        fail({
          where: `step ${step + 1}`,
          problem: `the loss is ${out.loss[0]} (case ${batch.ids.join(', ')}, learning rate ${learningRate})`,
          hint: 'Start anew with a lower learning rate, or with "clipNorm"; the last checkpoint is from before',
        });
      outs.push(out);
      ids.push(...batch.ids);
      if (classifies(config))
        ofImages.push(...indices.map((n) => imageClassOf(this.parts.cases[n], this.parts.classes)));
      slices.push(...(batch.slices ?? []));
    }
    const out = mergedOutputs(outs);
    const scalar = (name: string): number | undefined => out[name]?.[0];
    return {
      kind: 'step',
      step: step + 1,
      epoch: epoch + 1,
      cases: ids,
      slices: slices.length > 0 ? slices : undefined,
      loss: out.loss[0],
      crossEntropy: out.cross_entropy[0],
      diceCase: scalar('dice_case'),
      diceGlobal: scalar('dice_global'),
      ...(classifies(config) ? ofStepImages(out, ofImages) : this.voxelScores(out)),
      learningRate,
      seconds: (performance.now() - begun) / 1000,
      ...(session.worked && { deviceSeconds }),
      peakRssBytes: process.resourceUsage().maxRSS * 1024,
      bytesSent: (await totalSent(session.world)) - sentBefore,
    };
  }

  /** Of voxels that are told apart. */
  private voxelScores(
    out: Readonly<Record<string, HostArray>>,
  ): Pick<StepLine, 'dice' | 'absent' | 'softDice'> {
    const judged = judgedNames(this.parts.config, this.parts.classes);
    return {
      dice: hardDice({ both: out.count_both, predicted: out.count_predicted, truth: out.count_true }, judged),
      absent: absentClasses(out.count_true, judged),
      softDice: softDice(out, judged),
    };
  }

  private program(size: Shape3, volume: Shape3, part: 'gather' | 'apply'): Promise<Loaded> {
    const { config, programs, classes, hostBytes } = this.parts;
    return programs.get(
      stepKey(size, part),
      () => trainingGraph(config, classes.length, size, part).graph,
      hostBytes(volume),
    );
  }

  /** Numbers of the cases of a batch. */
  private indices(pass: number): number[] {
    const { casesPerStep } = this;
    return Array.from({ length: casesPerStep }, (_, i) => this.order.at(pass * casesPerStep + i));
  }
}

/** What the batches of a step gave together: means of numbers, counts of all samples one after the other. */
function mergedOutputs(
  outs: readonly Readonly<Record<string, HostArray>>[],
): Readonly<Record<string, HostArray>> {
  if (outs.length === 1) return outs[0];
  return Object.fromEntries(
    Object.keys(outs[0]).map((name) => {
      const numbers = outs.map((out) => [...out[name]]);
      const merged =
        name.startsWith('count_') || name === 'probabilities'
          ? numbers.flat()
          : [numbers.reduce((sum, [number]) => sum + number, 0) / outs.length];
      return [name, Float64Array.from(merged)];
    }),
  );
}

/** Of images that have one label, of the classes `labels`. */
function ofStepImages(
  { probabilities }: Readonly<Record<string, HostArray>>,
  labels: readonly number[],
): Pick<StepLine, 'dice' | 'softDice' | 'images' | 'accuracy'> {
  const images = scoredImages(labels, probabilities);
  return { dice: {}, softDice: {}, images, accuracy: accuracyOf(images) };
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
