import { fail } from '../../core/index.ts';
import {
  defaultNormalizations,
  type Normalization,
  type PrepareOptions,
  paperWindow,
} from '../../imaging/index.ts';
import type { NormalizationSetting, TrainConfig } from './config-type.ts';

// What a config says of channels and how they are normalised.

type ChannelSettings = Pick<TrainConfig, 'channels' | 'normalization' | 'window'>;

/** Channels of the images of a config. */
export function channelCount({ channels, normalization }: Omit<ChannelSettings, 'window'>): number {
  return (isList(normalization) ? normalization : channels)?.length ?? 1;
}

/** Names of the channels of a config, their numbers where it gives none. */
export function channelNamesOf(config: Omit<ChannelSettings, 'window'>): readonly string[] {
  return config.channels ?? Array.from({ length: channelCount(config) }, (_, n) => `channel ${n}`);
}

/** How each channel is normalised; undefined where one channel has the window of the config. */
export function normalizationsOfConfig(config: ChannelSettings): PrepareOptions['normalizations'] {
  const { channels, normalization = 'auto', window } = config;
  if (normalization === 'auto') return channels && defaultNormalizations(channels, window);
  const settings = isList(normalization)
    ? normalization
    : Array.from({ length: channelCount(config) }, () => normalization);
  return settings.map((setting) => normalizationOf(setting, window));
}

const isList = (
  setting: TrainConfig['normalization'],
): setting is Extract<TrainConfig['normalization'], readonly unknown[]> => Array.isArray(setting);

function normalizationOf(
  setting: NormalizationSetting,
  window: TrainConfig['window'] = paperWindow,
): Normalization {
  if (typeof setting !== 'string') return setting;
  switch (setting) {
    case 'ct':
      return { kind: 'window', lower: window.lower, upper: window.upper };
    case 'ct-percentiles':
      return fail({
        where: 'config "normalization"',
        problem: 'ct-percentiles are numbers of a data set',
        expected: 'those that train takes of its cases, or an object of kind clip',
        found: setting,
      });
    case 'zscore-nonzero':
      return { kind: 'zscore', nonZero: true };
    case 'zscore':
    case 'rescale':
    case 'rgb':
    case 'none':
      return { kind: setting };
    default:
      return setting satisfies never;
  }
}

/** A normalisation in the words of a config. */
function settingOf(normalization: Normalization): NormalizationSetting {
  switch (normalization.kind) {
    case 'window':
      return 'ct';
    case 'zscore':
      return normalization.nonZero ? 'zscore-nonzero' : 'zscore';
    case 'clip':
      return normalization;
    case 'rescale':
    case 'rgb':
    case 'none':
      return normalization.kind;
    default:
      return normalization satisfies never;
  }
}

/** Raises a data set one of whose channels has the name of another one of the network, or whose channels are others in number. */
export function checkChannelOrder(
  config: Omit<ChannelSettings, 'window'>,
  { dir, channelNames }: { readonly dir: string; readonly channelNames?: readonly string[] },
): void {
  const own = config.channels;
  if (own === undefined || channelNames === undefined) return;
  const plain = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase());
  const [wanted, found] = [plain(own), plain(channelNames)];
  const misplaced = found.some((name, n) => wanted.includes(name) && wanted[n] !== name);
  if (own.length === channelNames.length && !misplaced) return;
  fail({
    where: dir,
    problem: 'channels of the data set',
    expected: `those of the network, ${own.join(', ')}`,
    found: channelNames.join(', '),
    hint: 'Bring them into this order, in "channel_names" or by a pattern such as *_{t1,t2}.nii.gz',
  });
}

/**
 * The config with the channels of a data set, by their names, and how each is normalised. One channel of CT in a window, and one that
 * says no name, is what a config without both means; a window that was asked for is one for a single channel, whatever its name. Throws
 * HalomeshError where the config is for other channels.
 */
export function withChannels(
  config: TrainConfig,
  { dir, channelNames }: { readonly dir: string; readonly channelNames?: readonly string[] },
): TrainConfig {
  const names = config.channels ?? channelNames;
  const { normalization, window, slices } = config;
  const count = names?.length ?? 1;
  checkChannelOrder(config, { dir, channelNames });
  if (channelNames === undefined && count > 1)
    fail({
      where: dir,
      problem: 'the data set has one channel',
      expected: `${count}: ${names?.join(', ')}`,
      found: '1',
    });
  if (isList(normalization) && normalization.length !== count)
    fail({
      where: 'config "normalization"',
      problem: `expected one for each channel of ${dir}`,
      expected: `${count}${names === undefined ? '' : ` (${names.join(', ')})`}`,
      found: `${normalization.length}`,
    });
  const byWindow = normalization === undefined && count === 1;
  const chosen = byWindow
    ? defaultNormalizations(undefined, window)
    : (normalizationsOfConfig({ ...config, channels: names }) ?? defaultNormalizations(names, window));
  if (normalization === undefined && !chosen.some(({ kind }) => kind === 'window'))
    fail({
      where: 'config "window"',
      problem: `expected a channel of CT in ${dir}`,
      found: names?.join(', ') ?? 'none',
      hint: 'Leave the window out, or give the normalization of each channel',
    });
  const { channels: _, normalization: __, ...rest } = config;
  if (count === 1 && chosen[0].kind === 'window') return rest;
  if (slices !== undefined && count > 1)
    fail({
      where: 'config "slices"',
      problem: 'slices have their neighbours as channels, so their scans must have one',
      expected: 'one channel',
      found: `${count}: ${names?.join(', ')}`,
      hint: 'Train in 3-D, on patches where whole volumes are too large',
    });
  return { ...rest, ...(names && { channels: names }), normalization: chosen.map(settingOf) };
}

/** The way of normalisation whose numbers the data set decides. */
export const PERCENTILES = 'ct-percentiles' satisfies NormalizationSetting;

/** Whether any channel is normalised by percentiles that the data set decides. */
export const takesPercentiles = ({ normalization }: Pick<TrainConfig, 'normalization'>): boolean =>
  [normalization].flat().includes(PERCENTILES);

/** The config with other settings in place of percentiles that are not known; by number of the channel. */
export function inPlaceOfPercentiles(
  config: TrainConfig,
  channels: number,
  setting: (channel: number) => NormalizationSetting,
): TrainConfig {
  const { normalization } = config;
  if (!takesPercentiles(config)) return config;
  const each = Array.isArray(normalization)
    ? normalization
    : Array.from({ length: channels }, () => normalization as NormalizationSetting);
  return { ...config, normalization: each.map((one, n) => (one === PERCENTILES ? setting(n) : one)) };
}
