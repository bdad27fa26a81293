import { type Case, type Shape3, voxelCount } from '../imaging/index.ts';
import { explainPlan, makePlan, type PlanOptions, type PlanReport } from '../plan/index.ts';
import { preparedShape, trainingBytes } from './cases.ts';
import { meshOf, type TrainConfig } from './config.ts';
import { prepareOptions, targetOf, trainingGraph, withinMemory } from './model.ts';

/** What a training will need, told from headers alone: its largest case decides. */
export interface Forecast {
  readonly shape: Shape3;
  /** Id of the largest case; absent where a size was given instead of data. */
  readonly case?: string;
  /** The config, with the parts that a memory limit asks for. */
  readonly config: TrainConfig;
  readonly report: PlanReport;
}

/** Forecast for the cases of a data set. */
export async function forecastCases(
  config: TrainConfig,
  cases: readonly Case[],
  classes: number,
  hosts?: PlanOptions['hosts'],
): Promise<Forecast> {
  const shapes = await Promise.all(cases.map((entry) => preparedShape(entry, prepareOptions(config))));
  const voxels = shapes.map(voxelCount);
  const largest = voxels.indexOf(Math.max(...voxels));
  return { case: cases[largest].id, ...forecast(config, shapes[largest], classes, cases.length, hosts) };
}

/** Forecast for `cases` volumes of one size; `hosts`: ranks of each process, all in one by default. */
export function forecast(
  config: TrainConfig,
  shape: Shape3,
  classes: number,
  cases = 1,
  hosts?: PlanOptions['hosts'],
): Forecast {
  const hostBytes = trainingBytes(voxelCount(shape), config.batch, cases);
  const graph = trainingGraph(config, classes, shape).graph;
  const fitted = withinMemory(config, () => graph, hostBytes);
  const { mesh, layout } = meshOf(fitted);
  const { memoryLimit } = config;
  const plan = makePlan(graph, mesh, layout, targetOf(config), { hosts, memoryLimit, hostBytes });
  return { shape, config: fitted, report: explainPlan(plan, hostBytes) };
}
