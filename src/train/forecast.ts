import { type Case, canonicalGrid, readNiftiHeader, resampledGrid, type Shape3 } from '../imaging/index.ts';
import { CPU_TARGET, referenceDevice } from '../machine/index.ts';
import { explainPlan, makePlan, type PlanReport } from '../plan/index.ts';
import { CASE_BYTES } from './cases.ts';
import { meshOf, type TrainConfig } from './config.ts';
import { prepareOptions, trainingGraph } from './model.ts';

/** What a training will need, told from headers alone: its largest case decides. */
export interface Forecast {
  readonly shape: Shape3;
  /** Id of the largest case; absent where a size was given instead of data. */
  readonly case?: string;
  readonly report: PlanReport;
}

/** Bytes of a voxel of image (float32) and labels (one byte). */
const VOXEL = 5;
/** Copies of a step's volumes beside the prepared case: augmented, and as one batch. */
const COPIES = 3;

const voxels = ([d, h, w]: Shape3): number => d * h * w;

/** Forecast for the cases of a data set. */
export async function forecastCases(
  config: TrainConfig,
  cases: readonly Case[],
  classes: number,
): Promise<Forecast> {
  const shapes = await Promise.all(cases.map((entry) => preparedShape(entry, config)));
  const largest = shapes.reduce((best, shape, i) => (voxels(shape) > voxels(shapes[best]) ? i : best), 0);
  const kept = Math.min(CASE_BYTES, VOXEL * shapes.reduce((sum, shape) => sum + voxels(shape), 0));
  return { case: cases[largest].id, ...forecast(config, shapes[largest], classes, kept) };
}

/** Forecast for volumes of one size; `kept`: bytes of prepared cases that stay in memory. */
export function forecast(
  config: TrainConfig,
  shape: Shape3,
  classes: number,
  kept = VOXEL * voxels(shape),
): Forecast {
  const { mesh, layout } = meshOf(config);
  const target = config.device === 'reference' ? referenceDevice() : CPU_TARGET;
  const plan = makePlan(trainingGraph(config, classes, shape).graph, mesh, layout, target);
  return { shape, report: explainPlan(plan, kept + COPIES * config.batch * VOXEL * voxels(shape)) };
}

/** The shape that a case will have once it is prepared, from its header alone. */
async function preparedShape({ image }: Case, config: TrainConfig): Promise<Shape3> {
  const { dims, affine } = await readNiftiHeader(image);
  const grid = canonicalGrid({ shape: [dims[2] ?? 1, dims[1] ?? 1, dims[0]], affine });
  const { spacing, size } = prepareOptions(config);
  if (spacing !== undefined) return resampledGrid(grid, { spacing }).shape;
  if (size === undefined) return grid.shape;
  return typeof size === 'number' ? [size, size, size] : size;
}
