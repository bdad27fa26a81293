import { fail } from '../../core/index.ts';
import type { NormalizationSetting } from '../../train/index.ts';
import { type Configuration, type DatasetFile, type Plans, refuse } from './plans.ts';

// How nnU-Net normalises channels, in the words of a config.

/** What a network sees of the channels. */
interface Intensities {
  /** The line that the network draws first, where it has one channel of CT. */
  readonly line: { readonly scale: number; readonly shift: number };
  readonly window?: { readonly lower: number; readonly upper: number };
  readonly normalization?: readonly NormalizationSetting[];
}

/**
 * CT is cut off at two percentiles and brought to mean 0 and deviation 1. Where it is the only channel,
 *
 *   (clip(HU, lower, upper) - mean) / deviation  =  window * scale + shift,   window = (clip(HU, lower, upper) - lower) / (upper - lower)
 */
export function normalisationOf(
  where: string,
  { foreground_intensity_properties_per_channel: properties }: Plans,
  { normalization_schemes: schemes = [], use_mask_for_norm: masks = [] }: Configuration,
  channels: readonly string[],
): Intensities {
  if (schemes.length !== channels.length)
    refuse(`${where} "normalization_schemes"`, 'channels', `${channels.length}`, `${schemes.length}`);
  const normalization = schemes.map((scheme, n) =>
    settingOf(where, scheme, masks[n] ?? false, () => ctNumbers(where, properties, n)),
  );
  const [first] = normalization;
  if (normalization.length > 1 || typeof first === 'string')
    return { line: { scale: 1, shift: 0 }, normalization };
  const { lower, upper, mean, deviation } = first;
  const line = { scale: (upper - lower) / deviation, shift: (lower - mean) / deviation };
  return { window: { lower, upper }, line };
}

/** A channel's scheme in the words of a config; schemes but the z-score do not look at a mask. */
function settingOf(
  where: string,
  scheme: string,
  masked: boolean,
  numbers: () => Exclude<NormalizationSetting, string>,
): NormalizationSetting {
  switch (scheme) {
    case 'CTNormalization':
      return numbers();
    case 'ZScoreNormalization':
      return masked ? 'zscore-nonzero' : 'zscore';
    case 'NoNormalization':
      return 'none';
    case 'RescaleTo01Normalization':
      return 'rescale';
    case 'RGBTo01Normalization':
      return 'rgb';
    default: {
      const known =
        'CTNormalization, ZScoreNormalization, NoNormalization, RescaleTo01Normalization or RGBTo01Normalization';
      return refuse(`${where} "normalization_schemes"`, 'intensities', known, scheme);
    }
  }
}

/** The numbers of a channel of CT. */
function ctNumbers(
  where: string,
  properties: Plans['foreground_intensity_properties_per_channel'],
  channel: number,
): Exclude<NormalizationSetting, string> {
  const at = `${where} "foreground_intensity_properties_per_channel"`;
  const found = new Map(Object.entries(properties)).get(String(channel));
  if (found === undefined)
    return fail({ where: at, problem: `expected numbers of channel ${channel}, found none` });
  const { percentile_00_5: lower, percentile_99_5: upper, mean, std } = found;
  if (!(lower < upper && std > 0))
    return fail({
      where: at,
      problem: 'intensities',
      expected: 'percentile_00_5 below percentile_99_5 and std above 0',
      found: `${lower}, ${upper}, ${std}`,
    });
  return { kind: 'clip', lower, upper, mean, deviation: std };
}

/** Names of the channels in their order. */
export function channelsOf(
  file: string,
  { modality = {}, channel_names: channels = modality }: DatasetFile,
): string[] {
  const names = Object.entries(channels)
    .map(([key, name]) => ({ key: Number(key), name }))
    .sort((a, b) => a.key - b.key);
  if (names.length === 0 || names.some(({ key }, n) => key !== n))
    fail({
      where: `${file} "channel_names"`,
      problem: 'channels',
      expected: 'names of 0, 1, 2...',
      found: Object.keys(channels).join(', ') || 'none',
    });
  return names.map(({ name }) => name);
}
