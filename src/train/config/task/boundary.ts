import { hasBoundary } from '../../../nn/index.ts';
import type { TrainConfig } from '../config.ts';
import { lossOf } from './loss.ts';

// What a config means for the boundary loss: which regions' distances are its input, and how much it weighs.

/** Labels of each score whose distances the boundary loss takes: none of those that do not count; undefined without that loss. */
export function boundaryRegions(config: TrainConfig, classes: number): number[][] | undefined {
  const loss = lossOf(config, classes);
  if (!hasBoundary(loss)) return undefined;
  const { sets, dice } = loss;
  return (
    sets?.map((set) => [...set]) ??
    Array.from({ length: classes }, (_, cls) => (dice.includes(cls) ? [cls] : []))
  );
}

/** How many regions the boundary loss takes distances to. */
export const boundaryCount = (config: TrainConfig, classes: number): number =>
  boundaryRegions(config, classes)?.filter((labels) => labels.length > 0).length ?? 0;

/** Share of the boundary loss in a step, counted from 0. */
export function boundaryWeightOf({ loss, steps }: Pick<TrainConfig, 'loss' | 'steps'>, step: number): number {
  const { first, last } = loss.boundaryWeight ?? BOUNDARY_WEIGHT;
  const share = Math.min(step, steps - 1) / Math.max(1, steps - 1);
  return (1 - share) * first + share * last;
}

/** Small at first, as Kervadec et al. 2019 begin; half of the loss at last. */
const BOUNDARY_WEIGHT = { first: 0.01, last: 0.5 };
