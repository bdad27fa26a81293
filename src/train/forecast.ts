import { fail } from '../core/index.ts';
import { type Case, isZarr, type Shape3, voxelCount } from '../imaging/index.ts';
import type { Processes } from '../machine/index.ts';
import { checkSplits, explainPlan, makePlan, type PlanOptions, type PlanReport } from '../plan/index.ts';
import { withSplit } from './auto-split.ts';
import { preparedShape, trainingBytes, volumesOfStep } from './cases.ts';
import { meshOf, type TrainConfig } from './config.ts';
import { prepareOptions, targetOf, trainingGraph, withinMemory } from './model.ts';
import { sampleShape, stepPatch } from './patches.ts';

/** What a training will need, told from headers alone: its largest case decides. */
export interface Forecast {
  /** Voxels of the case. */
  readonly shape: Shape3;
  /** The part of it that a step takes, where that is a patch. */
  readonly patch?: Shape3;
  /** Id of the largest case; absent where a size was given instead of data. */
  readonly case?: string;
  /** The config, with the parts that a memory limit asks for. */
  readonly config: TrainConfig;
  readonly report: PlanReport;
  /** What split was chosen and why, where the choice was left to the program. */
  readonly split?: string;
}

/** Forecast for the cases of a data set, trained by the ranks of some processes; all of them call it. */
export async function forecastCases(
  config: TrainConfig,
  cases: readonly Case[],
  classes: number,
  processes?: Processes,
  ranks?: number,
): Promise<Forecast> {
  const shapes = await Promise.all(cases.map((entry) => preparedShape(entry, prepareOptions(config))));
  const voxels = shapes.map(voxelCount);
  const largest = voxels.indexOf(Math.max(...voxels));
  const shape = shapes[largest];
  const stored = isZarr(cases[largest].image);
  const split = await splitFor(config, shape, classes, { cases: cases.length, stored, processes, ranks });
  const hosts = processes?.hosts ?? apart(ranks);
  const found = forecast(split.config, shape, classes, { cases: cases.length, stored, hosts });
  return { case: cases[largest].id, ...found, split: split.why };
}

/** Ranks each in a process of its own. */
export const apart = (ranks?: number): PlanOptions['hosts'] =>
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
): ReturnType<typeof withSplit> {
  const graph = (size: Shape3, batch: number) => trainingGraph({ ...config, batch }, classes, size).graph;
  const { batch } = config;
  const volumes = { ...volumesOfStep(config, shape), cases, stored };
  const hostBytes = trainingBytes({ ...volumes, processes: processes?.hosts.length ?? ranks ?? 1 });
  const sample = sampleShape(shape, stepPatch(config));
  return withSplit(config, { shape: sample, batch, graph, hostBytes, processes, ranks });
}

/** What a forecast for one size of volume may know beside it. */
export interface ForecastOptions {
  /** Volumes of the data set; 1 by default. */
  readonly cases?: number;
  /** Whether they lie in a store of preprocessed cases. */
  readonly stored?: boolean;
  /** Ranks of each process; all in one by default. */
  readonly hosts?: PlanOptions['hosts'];
}

/** Refuses levels at which nothing is left to halve along any side. */
function checkLevels(levels: number, sample: Shape3): void {
  const side = Math.max(...sample);
  const most = Math.floor(Math.log2(side)) + 1;
  if (levels > most)
    fail({
      where: '--levels',
      problem: `each level halves the volume, which has ${sample.join(' x ')} voxels`,
      expected: `at most ${most}`,
      found: String(levels),
      hint: 'Use fewer levels, or a larger --size',
    });
}

/** Forecast for volumes of one size. */
export function forecast(
  config: TrainConfig,
  shape: Shape3,
  classes: number,
  { cases = 1, stored = false, hosts }: ForecastOptions = {},
): Forecast {
  const processes = hosts?.length ?? 1;
  const sample = sampleShape(shape, stepPatch(config));
  const hostBytes = trainingBytes({ ...volumesOfStep(config, shape), cases, stored, processes });
  checkLevels(config.levels, sample);
  const graph = trainingGraph(config, classes, sample).graph;
  const given = meshOf(config);
  checkSplits(graph, given.mesh, given.layout);
  const outermost = config.slices === undefined ? 'depth' : 'height';
  const fitted = withinMemory(config, () => graph, hostBytes, outermost);
  const { mesh, layout } = meshOf(fitted);
  const { memoryLimit } = config;
  const plan = makePlan(graph, mesh, layout, targetOf(config), { hosts, memoryLimit, hostBytes });
  const patch = config.patch && sample;
  return { shape, patch, config: fitted, report: explainPlan(plan, hostBytes) };
}
