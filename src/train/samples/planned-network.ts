import { mapSome } from '../../core/index.ts';
import { type Case, type Dataset, type Grid, type Shape3, spacingOf } from '../../imaging/index.ts';
import { planStages, type StagedKind } from '../../nn/index.ts';
import type { StagedNetwork, TrainConfig } from '../config/config.ts';
import { prepareOptions } from '../config/model.ts';
import { isFlat } from '../config/plane.ts';
import { chooseCases, gridOf } from './cases.ts';
import { sampleShape, stepPatch } from './patches.ts';

/** Kinds of networks whose stages are planned, by the names that ask for them. */
const PLANNED: Readonly<Record<string, StagedKind | undefined>> = { nnunet: 'plain', resunet: 'residual' };

const AXES = ['depth', 'height', 'width'] as const;

/** The config with the stages of a network that is asked for by its name, as the training cases of a data set suggest them. */
export async function withPlannedNetwork(config: TrainConfig, dataset: Dataset): Promise<TrainConfig> {
  if (plannedKind(config) === undefined) return config;
  return plannedFor(config, chooseCases(dataset, config).training);
}

/** {@link withPlannedNetwork} from cases: the medians of their voxel sizes and extents, and the patch of a step decide. */
export async function plannedFor(config: TrainConfig, cases: readonly Case[]): Promise<TrainConfig> {
  const grids = await mapSome(cases, (entry) => gridOf(entry, prepareOptions(config)));
  return withStages(config, grids);
}

/** The config with the stages for images of some grids. */
export function withStages(config: TrainConfig, grids: readonly Grid[]): TrainConfig {
  const kind = plannedKind(config);
  if (kind === undefined) return config;
  const middle = (of: (grid: Grid) => Shape3): Shape3 => {
    const all = grids.map(of);
    return [median(all.map(([d]) => d)), median(all.map(([, h]) => h)), median(all.map(([, , w]) => w))];
  };
  const spacing = middle(spacingOf);
  const size = sampleShape(
    middle(({ shape }) => shape),
    stepPatch(config),
  );
  const axes = AXES.map((name, n) => [name, { size: size[n], spacing: spacing[n] }] as const);
  // In 2-D every slice is an image of its own.
  const seen = isFlat(config) ? axes.slice(1) : axes;
  const stages = planStages(kind, Object.fromEntries(seen), config.base);
  const network: StagedNetwork = { kind, stages, slope: 0.01, epsilon: 1e-5, scale: 1, shift: 0 };
  return { ...config, network, levels: stages.length, norm: 'instance', dropoutKeep: 1 };
}

const plannedKind = ({ network }: TrainConfig): StagedKind | undefined =>
  typeof network === 'string' ? PLANNED[network] : undefined;

/** The middle one of some numbers, of an even count the lower of two. */
function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)];
}
