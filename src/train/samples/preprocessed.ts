import { fail } from '../../core/index.ts';
import { type Dataset, ignoresVoxels, paperWindow } from '../../imaging/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { normalizationsOfConfig, withChannels } from '../config/normalization.ts';
import { checkColours } from '../config/plane.ts';
import { classifies } from '../config/task/task.ts';

/** The config with all that the data set decides: how its cases were prepared, and what its labels mean. */
export function withDataset(config: TrainConfig, dataset: Dataset): TrainConfig {
  const { labelCodes, pictures } = dataset;
  const classValues = labelCodes?.classValues;
  const prepared = withPreprocessing(config, dataset);
  checkColours(prepared);
  // Pictures have no depth that windows could slide over.
  const flat = pictures && config.slices === undefined && config.plane === undefined && { plane: true };
  // What the labels of voxels mean is nothing to those who tell images apart as wholes.
  if (classifies(config)) return { ...prepared, ...flat };
  return {
    ...prepared,
    ...flat,
    classValues,
    regions: labelCodes?.regions,
    ignore: ignoresVoxels(labelCodes) || config.ignoreGlass || undefined,
  };
}

/**
 * The config with the channels of its data set and with the spacing or size that the cases of a store were prepared with: so a network finds its way to
 * scans that it sees later. Where the data set is no store, the config as it is. Throws HalomeshError where it asks for others.
 */
function withPreprocessing(given: TrainConfig, dataset: Dataset): TrainConfig {
  const { dir, preprocessed } = dataset;
  const config = withChannels(given, dataset);
  if (preprocessed === undefined) return config;
  const { spacing, size, window } = preprocessed;
  const asked = config.window ?? paperWindow;
  const resampled = config.spacing !== undefined || config.size !== undefined;
  const windowed = normalizationsOfConfig(config)?.some(({ kind }) => kind === 'window') ?? true;
  const fits =
    !windowed || window === undefined || (window.lower <= asked.lower && asked.upper <= window.upper);
  if (fits && (!resampled || (config.spacing === spacing && config.size === size)))
    return { ...config, spacing, size };
  const words = (mm?: TrainConfig['spacing'], n?: number) =>
    mm !== undefined ? `spacing ${mm}` : n !== undefined ? `size ${n}` : 'the voxels of the files';
  const limits = window === undefined ? 'all HU' : `HU ${window.lower},${window.upper}`;
  return fail({
    where: dir,
    problem: 'the store was preprocessed in another way',
    expected: `${resampled ? words(config.spacing, config.size) : words(spacing, size)}, window ${asked.lower},${asked.upper}`,
    found: `${words(spacing, size)}, ${limits}`,
    hint: 'Ask for what the store holds (--size, --spacing, --window), or preprocess the data set anew into another store',
  });
}
