import { fail } from '../core/index.ts';
import { type Dataset, paperWindow } from '../imaging/index.ts';
import type { TrainConfig } from './config.ts';

/**
 * The config with the spacing, size and window that the cases of a store were prepared with: so a network finds its way to
 * scans that it sees later. Where the data set is no store, the config as it is. Throws HalomeshError where it asks for others.
 */
export function withPreprocessing(config: TrainConfig, { dir, preprocessed }: Dataset): TrainConfig {
  if (preprocessed === undefined) return config;
  const { spacing, size } = preprocessed;
  const { lower, upper } = preprocessed.window;
  const { lower: low, upper: high } = config.window ?? preprocessed.window;
  const resampled = config.spacing !== undefined || config.size !== undefined;
  const differs =
    (resampled && (config.spacing !== spacing || config.size !== size)) || low !== lower || high !== upper;
  if (differs) {
    const words = (mm?: number, n?: number) =>
      mm !== undefined ? `spacing ${mm}` : n !== undefined ? `size ${n}` : 'the voxels of the files';
    fail({
      where: dir,
      problem: 'the store was preprocessed in another way',
      expected: `${words(config.spacing, config.size)}, window ${low},${high}`,
      found: `${words(spacing, size)}, window ${lower},${upper}`,
      hint: `Ask for what the store holds, or preprocess the data set anew into another store (--window ${low},${high})`,
    });
  }
  const standard = lower === paperWindow.lower && upper === paperWindow.upper;
  return { ...config, spacing, size, window: standard ? config.window : { lower, upper } };
}
