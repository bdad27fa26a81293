import { fail } from '../../core/index.ts';
import { type ScanPlan, voxelCount } from '../../imaging/index.ts';
import { processBytes } from '../../plan/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { targetOf } from '../config/model.ts';
import { probabilityGrid } from './probabilities.ts';

/** Refuses probabilities that do not fit: to turn them takes a volume of a class. */
export function checkProbabilities({ geometry }: ScanPlan, factor: number, config: TrainConfig): void {
  const { memoryLimit: limit } = config;
  if (!(factor >= 1))
    fail({ where: 'down-sampling of probabilities', problem: 'expected at least 1', found: `${factor}` });
  const { fixedBytes, ofHost } = targetOf(config).spaces.tensors;
  const bytes =
    processBytes(fixedBytes, 1) + 4 * voxelCount(probabilityGrid(geometry.original, factor).shape);
  if (limit === undefined || !ofHost || bytes <= limit) return;
  fail({
    where: 'memory limit',
    problem: 'the probabilities of a class do not fit',
    expected: `at least ${Math.ceil(bytes / 2 ** 20)}MiB`,
    found: `${Math.floor(limit / 2 ** 20)}MiB`,
    hint: 'Raise --memory-limit, or give --probabilities-downsample 2',
  });
}
