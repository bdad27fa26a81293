import { fail, mapSome } from '../../core/index.ts';
import { type Case, type Shape3, voxelCount } from '../../imaging/index.ts';
import { loadDevice, type Processes } from '../../machine/index.ts';
import type { Built, BuiltLoss } from '../../nn/index.ts';
import {
  checkSplits,
  explainPlan,
  type FittedProgram,
  type Plan,
  type PlanOptions,
  type PlanReport,
  planOf,
  predictPeak,
} from '../../plan/index.ts';
import { type InOnePiece, plainly } from '../../run/index.ts';
import { meshOf, type TrainConfig } from '../config/config.ts';
import {
  evaluationGraph,
  isFunction,
  movesStatistics,
  prepareOptions,
  statisticsGraph,
  targetOf,
  trainingGraph,
  withinMemory,
} from '../config/model.ts';
import { channelCount } from '../config/normalization.ts';
import { checkKind, checkPlane, outermostAxis } from '../config/plane.ts';
import { passKey, stepKey } from '../config/programs.ts';
import { type Placed, withSplit } from '../config/with-split.ts';
import {
  type ChosenCases,
  preparedShape,
  readByBoxes,
  trainingBytes,
  volumesOfStep,
} from '../samples/cases.ts';
import { sampleShape, stepPatch } from '../samples/patches.ts';

/** What a training will need, told from headers alone: its largest case decides. */
export interface Forecast {
  /** Voxels of the case. */
  readonly shape: Shape3;
  /** The part of it that a step takes, where that is a patch. */
  readonly patch?: Shape3;
  /** Id of the largest case; absent where a size was given instead of data. */
  readonly case?: string;
  /** Whether cases are read by boxes, so that no process holds a whole one. */
  readonly stored: boolean;
  /** The config, with the parts that a memory limit asks for. */
  readonly config: TrainConfig;
  readonly report: PlanReport;
  /** The plans that it is told from, by the keys of the programs of a training. */
  readonly plans: ReadonlyMap<string, Plan>;
  /**
   * Programs beside that of a step's last batch which may take more: those of its other batches, and those that see whole volumes
   * where a step sees less. What they do, and the most that a process takes for them.
   */
  readonly whole?: readonly { readonly what: string; readonly predictedPeakBytes: number }[];
  /** What split was chosen and why, where the choice was left to the program. */
  readonly split?: string;
}

/** Forecast for the cases of a data set, trained by the ranks of some processes; all of them call it. */
export async function forecastCases(
  config: TrainConfig,
  { training: cases, validation }: Pick<ChosenCases, 'training' | 'validation'>,
  classes: number,
  {
    processes,
    ranks,
    planning = plainly,
  }: { processes?: Processes; ranks?: number; planning?: InOnePiece } = {},
): Promise<Forecast> {
  await loadDevice(config.device);
  const shapesOf = (some: readonly Case[]): Promise<Shape3[]> =>
    mapSome(some, async (entry) => {
      checkKind(config, entry);
      const shape = await preparedShape(entry, prepareOptions(config));
      checkPlane(config, shape, entry.image);
      return shape;
    });
  const shapes = await shapesOf(cases);
  const largest = largestOf(shapes);
  const shape = shapes[largest];
  const stored = readByBoxes(cases[largest], voxelCount(shape), channelCount(config));
  const split = await splitFor(config, shape, classes, { cases: cases.length, stored, processes, ranks });
  const processRanks = processes?.ranks ?? apart(ranks);
  const options = {
    cases: cases.length,
    stored,
    processRanks,
    training: shapes,
    validation: await shapesOf(validation),
    stepPlan: split.plan,
  };
  const found = await planning(() => forecast(split.config, shape, classes, options));
  return { case: cases[largest].id, ...found, split: split.why };
}

/** The place of the shape with the most voxels. */
function largestOf(shapes: readonly Shape3[]): number {
  const voxels = shapes.map(voxelCount);
  return voxels.indexOf(Math.max(...voxels));
}

/** Ranks each in a process of its own. */
export const apart = (ranks?: number): PlanOptions['processRanks'] =>
  ranks === undefined ? undefined : Array.from({ length: ranks }, (_, rank) => [rank]);

/** The config with the split that is best for training volumes of a shape, where the choice is left to the program. */
export function splitFor(
  config: TrainConfig,
  shape: Shape3,
  classes: number,
  {
    cases = 1,
    stored = false,
    processes,
    ranks,
  }: { cases?: number; stored?: boolean; processes?: Processes; ranks?: number } = {},
): Promise<Placed> {
  const graph = (size: Shape3, batch: number) => trainingGraph({ ...config, batch }, classes, size).graph;
  const { batch } = config;
  const volumes = { ...volumesOfStep(config, shape, classes), cases, stored };
  const hostBytes = trainingBytes({ ...volumes, processes: processes?.ranks.length ?? ranks ?? 1 });
  const sample = sampleShape(shape, stepPatch(config));
  return withSplit(config, { shape: sample, batch, graph, hostBytes, processes, ranks });
}

/** What a forecast for one size of volume may know beside it. */
export interface ForecastOptions {
  /** Volumes of the data set; 1 by default. */
  readonly cases?: number;
  /** Whether they are read by boxes. */
  readonly stored?: boolean;
  /** Ranks of each process; all in one by default. */
  readonly processRanks?: PlanOptions['processRanks'];
  /** Shapes of all cases to train on, in their order; the one shape by default. */
  readonly training?: readonly Shape3[];
  /** Shapes of the held-out cases; by default the one shape where the config holds cases out. */
  readonly validation?: readonly Shape3[];
  /** The plan of a step, where choosing the split has made it. */
  readonly stepPlan?: Plan;
}

/** A program of a training, by the key that it is kept under. */
interface Program extends FittedProgram {
  readonly key: string;
}

/**
 * Programs of a training that look at more voxels at once than a step does: the statistics of batch norm and validation see whole
 * volumes. Others take less than the step, as they keep nothing for gradients.
 */
function wholePrograms(
  config: TrainConfig,
  shape: Shape3,
  classes: number,
  options: ForecastOptions,
): Program[] {
  const { cases = 1, stored = false, processRanks, training = [shape] } = options;
  const heldOut = config.validation !== undefined || config.fold !== undefined;
  const { validation = heldOut ? [shape] : [] } = options;
  const measured = movesStatistics(config, classes, sampleShape(shape, stepPatch(config)))
    ? training.slice(0, config.statisticsCases)
    : [];
  const step = config.batch * voxelCount(sampleShape(shape, stepPatch(config)));
  const kinds = [
    { name: 'statistics', what: 'measuring statistics', shapes: measured, graph: statisticsGraph },
    { name: 'validation', what: 'validation', shapes: validation, graph: evaluationGraph },
  ] as const;
  return kinds.flatMap(({ name, what, shapes, graph }) => {
    if (shapes.length === 0) return [];
    const seen = shapes[largestOf(shapes)];
    // In 2-D a pass takes at most as many slices as a step.
    const size = config.slices === undefined ? seen : sampleShape(seen, stepPatch(config));
    const batch = config.slices === undefined ? 1 : Math.min(config.batch, seen[0]);
    if (batch * voxelCount(size) <= step) return [];
    const volumes = { cases, stored, processes: processRanks?.length ?? 1 };
    const hostBytes = Math.max(
      trainingBytes({ ...volumes, ...volumesOfStep(config, seen, classes) }),
      trainingBytes({
        ...volumes,
        voxels: voxelCount(seen),
        sampleVoxels: batch * voxelCount(size),
        batch: 1,
        channels: channelCount(config),
      }),
    );
    const text = `${what} on volumes of ${size.join(' x ')} voxels`;
    const built: Built | BuiltLoss = graph(config, classes, size, batch);
    return [{ key: passKey(name, batch, size), what: text, graph: built.graph, hostBytes }];
  });
}

/** Refuses levels at which nothing is left to halve along any side. */
function checkLevels(levels: number, sample: Shape3): void {
  const side = Math.max(...sample);
  const most = Math.floor(Math.log2(side)) + 1;
  if (levels > most)
    fail({
      where: 'config "levels"',
      problem: `each level halves the volume, which has ${sample.join(' x ')} voxels`,
      expected: `at most ${most}`,
      found: String(levels),
      hint: 'Use fewer levels (--levels), or a larger size (--size)',
    });
}

/** Forecast for volumes of one size. */
export function forecast(
  config: TrainConfig,
  shape: Shape3,
  classes: number,
  options: ForecastOptions = {},
): Forecast {
  const { cases = 1, stored = false, processRanks, stepPlan } = options;
  const processes = processRanks?.length ?? 1;
  const sample = sampleShape(shape, stepPatch(config));
  const hostBytes = trainingBytes({ ...volumesOfStep(config, shape, classes), cases, stored, processes });
  if (!isFunction(config)) checkLevels(config.levels, sample);
  const step = {
    key: stepKey(sample),
    what: 'a step',
    graph: trainingGraph(config, classes, sample).graph,
    hostBytes,
  };
  const given = meshOf(config);
  checkSplits(step.graph, given.mesh, given.layout);
  const gather = (): Program => ({
    key: stepKey(sample, 'gather'),
    what: 'gathering gradients',
    graph: trainingGraph(config, classes, sample, 'gather').graph,
    hostBytes,
  });
  const gathers = (config.accumulate ?? 1) > 1 ? [gather()] : [];
  const programs = [step, ...gathers, ...wholePrograms(config, shape, classes, options)];
  const fitted = withinMemory(config, () => programs, outermostAxis(config));
  const { mesh, layout } = meshOf(fitted.config);
  const { memoryLimit } = config;
  const planned = (program: FittedProgram) =>
    planOf(program, mesh, layout, targetOf(config), { processRanks, memoryLimit });
  const [plan, ...wholePlans] =
    fitted.plans ?? programs.map((program) => (program === step && stepPlan) || planned(program));
  const peaks = wholePlans.map((each, n) => ({
    what: programs[n + 1].what!,
    predictedPeakBytes: predictPeak(each, programs[n + 1].hostBytes),
  }));
  const patch = config.patch && sample;
  const report = explainPlan(plan, hostBytes);
  const plans = new Map([plan, ...wholePlans].map((each, n) => [programs[n].key, each]));
  return {
    ...{ shape, patch, stored, config: fitted.config, report, plans },
    ...(peaks.length > 0 && { whole: peaks }),
  };
}
