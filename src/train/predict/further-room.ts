import { fail } from '../../core/index.ts';
import { type Grid, type PreparedGeometry, voxelCount } from '../../imaging/index.ts';
import { processBytes } from '../../plan/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { targetOf } from '../config/model.ts';
import { probabilityGrid } from './probabilities.ts';

// What is written beside the labels takes volumes of its own, while no tensors are in memory. What does not fit is refused before
// anything runs.

/** The part of a plan of a scan that tells its sizes. */
interface Sizes {
  readonly geometry: Pick<PreparedGeometry, 'shape' | 'original'>;
  /** The grid of the file. */
  readonly original: Grid;
}

/** Refuses probabilities that do not fit: to turn them takes a volume of a class. */
export function checkProbabilities({ geometry }: Sizes, factor: number, config: TrainConfig): void {
  if (!(factor >= 1))
    fail({ where: 'down-sampling of probabilities', problem: 'expected at least 1', found: `${factor}` });
  const bytes = 4 * voxelCount(probabilityGrid(geometry.original, factor).shape);
  checkRoom('the probabilities of a class do not fit', bytes, config, 'give --probabilities-downsample 2');
}

/** Refuses statistics that do not fit: beside the labels of the network they take those of the file, and a channel of the scan. */
export function checkStatistics({ geometry, original }: Sizes, config: TrainConfig): void {
  const bytes = voxelCount(geometry.shape) + (1 + 4) * voxelCount(original.shape);
  checkRoom('the volumes that statistics are taken of do not fit', bytes, config, 'leave out --statistics');
}

function checkRoom(problem: string, volumes: number, config: TrainConfig, hint: string): void {
  const { memoryLimit: limit } = config;
  const { fixedBytes, ofHost } = targetOf(config).spaces.tensors;
  const bytes = processBytes(fixedBytes, 1) + volumes;
  if (limit === undefined || !ofHost || bytes <= limit) return;
  fail({
    ...{ where: 'memory limit', problem },
    expected: `at least ${Math.ceil(bytes / 2 ** 20)}MiB`,
    found: `${Math.floor(limit / 2 ** 20)}MiB`,
    hint: `Raise --memory-limit, or ${hint}`,
  });
}
