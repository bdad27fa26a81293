import { fail } from '../../core/index.ts';
import { type Dataset, foregroundIntensities } from '../../imaging/index.ts';
import type { Processes } from '../../machine/index.ts';
import { fromFirst, together } from '../../run/index.ts';
import type { NormalizationSetting, TrainConfig } from '../config/config.ts';
import { inPlaceOfPercentiles, PERCENTILES, takesPercentiles } from '../config/normalization.ts';
import { chooseCases } from './cases.ts';
import { withDataset } from './preprocessed.ts';

/**
 * The config with the numbers of nnU-Net's CTNormalization (Isensee et al. 2021) where it asks for percentiles: cut off at percentiles
 * 0.5 and 99.5 of the voxels beneath labels above 0 of the training cases, then minus their mean, by their deviation. Reads these cases
 * once, on process 0. Throws HalomeshError for a store that has other voxels than the files, and where there is no such voxel.
 */
export async function withPercentiles(
  config: TrainConfig,
  dataset: Dataset,
  processes: Processes,
): Promise<TrainConfig> {
  if (!takesPercentiles(config)) return config;
  const { spacing, size, window } = dataset.preprocessed ?? {};
  if (spacing !== undefined || size !== undefined || window !== undefined)
    fail({
      where: 'config "normalization"',
      problem: `${PERCENTILES} is of the voxels of the files`,
      found: `${dataset.dir}, a store of others`,
      hint: 'Preprocess without --spacing, --size and --window, or give the numbers that halomesh fingerprint tells as an object of kind clip',
    });
  const count = dataset.channelNames?.length ?? 1;
  // Refused first, before voxels are read: what does not fit the data set.
  withDataset(
    inPlaceOfPercentiles(config, count, () => 'none'),
    dataset,
  );
  const { training } = chooseCases(dataset, config);
  const found = await fromFirst(
    processes,
    await together(processes, 'intensities of the foreground', async () => {
      if (processes.index !== 0) return [];
      const channels: NormalizationSetting[] = [];
      for (let channel = 0; channel < count; channel++) channels.push(await clipOf(channel));
      return channels;
    }),
  );
  return inPlaceOfPercentiles(config, count, (channel) => found[channel]);

  async function clipOf(channel: number): Promise<NormalizationSetting> {
    const asked = Array.isArray(config.normalization) ? config.normalization[channel] : PERCENTILES;
    // Not asked for: not read.
    if (asked !== PERCENTILES) return 'none';
    const all = await foregroundIntensities(training, { channel, channels: count });
    const [lower, upper] = [all?.percentiles['0.5'], all?.percentiles['99.5']];
    if (all === undefined || lower === undefined || upper === undefined || !(lower < upper && all.std > 0))
      return fail({
        where: 'config "normalization"',
        problem: `${PERCENTILES} of channel ${channel}`,
        expected: 'voxels of different values beneath labels above 0 of the training cases',
        found: all === undefined ? 'none' : `all of ${all.mean}`,
      });
    return { kind: 'clip', lower, upper, mean: all.mean, deviation: all.std };
  }
}
