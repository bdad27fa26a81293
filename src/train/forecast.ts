import { type Case, type Shape3, voxelCount } from '../imaging/index.ts';
import { CPU_TARGET, referenceDevice } from '../machine/index.ts';
import { explainPlan, makePlan, type PlanReport } from '../plan/index.ts';
import { keptBytes, preparedShape, VOXEL_BYTES } from './cases.ts';
import { meshOf, type TrainConfig } from './config.ts';
import { prepareOptions, trainingGraph } from './model.ts';

/** What a training will need, told from headers alone: its largest case decides. */
export interface Forecast {
  readonly shape: Shape3;
  /** Id of the largest case; absent where a size was given instead of data. */
  readonly case?: string;
  readonly report: PlanReport;
}

/** Forecast for the cases of a data set. */
export async function forecastCases(
  config: TrainConfig,
  cases: readonly Case[],
  classes: number,
): Promise<Forecast> {
  const shapes = await Promise.all(cases.map((entry) => preparedShape(entry, prepareOptions(config))));
  const voxels = shapes.map(voxelCount);
  const largest = voxels.indexOf(Math.max(...voxels));
  const all = VOXEL_BYTES * voxels.reduce((sum, count) => sum + count, 0);
  const kept = Math.min(keptBytes(voxels[largest], config.batch), all);
  return { case: cases[largest].id, ...forecast(config, shapes[largest], classes, kept) };
}

/** Forecast for volumes of one size; `kept`: bytes of prepared cases that stay in memory beside the batch in flight. */
export function forecast(
  config: TrainConfig,
  shape: Shape3,
  classes: number,
  kept = VOXEL_BYTES * voxelCount(shape),
): Forecast {
  const { mesh, layout } = meshOf(config);
  const target = config.device === 'reference' ? referenceDevice() : CPU_TARGET;
  const plan = makePlan(trainingGraph(config, classes, shape).graph, mesh, layout, target);
  return { shape, report: explainPlan(plan, kept + config.batch * VOXEL_BYTES * voxelCount(shape)) };
}
