import { type IntensityWindow, paperWindow, windowLine } from './intensity-window.ts';
import type { VoxelArray } from './volume.ts';

// How the values of a channel become what a network sees. Each way is a straight line, cut off at both ends where it says so; what the
// line depends on is told of the whole channel of a case, so that every box of it has the bits of the whole.

/** How a channel is normalised. */
export type Normalization =
  /** (value - lower) / (upper - lower), cut off at 0 and 1. */
  | ({ readonly kind: 'window' } & IntensityWindow)
  /** (value - mean) / deviation, the value cut off at lower and upper first: numbers of a whole data set. */
  | ({ readonly kind: 'clip'; readonly mean: number; readonly deviation: number } & IntensityWindow)
  /** (value - mean) / deviation of the case; `nonZero`: of its voxels other than 0, and 0 stays 0. */
  | { readonly kind: 'zscore'; readonly nonZero?: boolean }
  /** (value - least) / (most - least) of the case. */
  | { readonly kind: 'rescale' }
  /** value / 255. */
  | { readonly kind: 'rgb' }
  | { readonly kind: 'none' };

/** What is known of all voxels of a channel of a case; mean and (population) deviation are those of float64 sums in file order. */
export interface ChannelStatistics {
  readonly count: number;
  readonly mean: number;
  readonly deviation: number;
  readonly least: number;
  readonly most: number;
  /** Of the voxels other than 0. */
  readonly nonZero: { readonly count: number; readonly mean: number; readonly deviation: number };
}

/** Where the values of a normalised channel lie, for what changes or draws them. */
export interface IntensityRange {
  readonly least: number;
  readonly most: number;
  /** What stands for the width of a window: changes of intensity are parts of it. */
  readonly unit: number;
  /** What lies beyond the volume. */
  readonly outside: number;
}

/** A normalisation of one channel of one case: value * scale + shift, cut off at `low` and `high`. */
export interface IntensityMap {
  readonly scale: number;
  readonly shift: number;
  readonly low: number;
  readonly high: number;
  /** Whether a value of 0 stays 0. */
  readonly keepsZero: boolean;
  readonly range: IntensityRange;
}

/** A channel of 0 to 1 whose 0 is air. */
export const windowRange: IntensityRange = { least: 0, most: 1, unit: 1, outside: 0 };

/** A colour of a picture, beyond which there is glass. */
const lightRange: IntensityRange = { ...windowRange, outside: 1 };

/** The ranges of channels, where there is more to tell than that there is one of 0 to 1. */
export function rangesOf(ranges: readonly IntensityRange[]): { readonly ranges?: readonly IntensityRange[] } {
  return ranges.length === 1 && ranges[0] === windowRange ? {} : { ranges };
}

/** Of one channel, where nothing else is said. */
export const windowOnly = (window: IntensityWindow = paperWindow): readonly Normalization[] => [
  { kind: 'window', lower: window.lower, upper: window.upper },
];

/** Names of channels that say how they are normalised, in the words of nnU-Net; in small letters. */
const named: ReadonlyMap<string, Normalization> = new Map([
  ['nonorm', { kind: 'none' }],
  ['rescale_to_0_1', { kind: 'rescale' }],
  ['rgb_to_0_1', { kind: 'rgb' }],
  // Those of a picture, of 8 bits each.
  ['red', { kind: 'rgb' }],
  ['green', { kind: 'rgb' }],
  ['blue', { kind: 'rgb' }],
  ['grey', { kind: 'rgb' }],
]);

/** Names of the channels of a picture in colours. */
export const RGB_CHANNELS = ['red', 'green', 'blue'] as const;

/** Whether the name of a channel is that of CT. */
export const isCt = (name: string): boolean => /^ct/i.test(name);

/**
 * How channels are normalised where nothing else is asked for, by their names: CT by the window, the colours of a picture by their
 * 255 steps, what the names of nnU-Net say as they do, everything else by its z-score. A single channel without a name counts as CT.
 */
export function defaultNormalizations(
  names: readonly string[] | undefined,
  window?: IntensityWindow,
): readonly Normalization[] {
  const [ct] = windowOnly(window);
  if (names === undefined) return [ct];
  return names.map((name) => (isCt(name) ? ct : (named.get(name.toLowerCase()) ?? { kind: 'zscore' })));
}

/** Deviations that stand for the width of a window. */
const deviationsInUnit = 4;

/** Whether a normalisation looks at the whole channel of a case. */
export function needsStatistics({ kind }: Normalization): boolean {
  return kind === 'zscore' || kind === 'rescale' || kind === 'none';
}

/** The map of a channel of a case; `statistics` where the normalisation needs them. */
export function intensityMapOf(normalization: Normalization, statistics?: ChannelStatistics): IntensityMap {
  const { kind } = normalization;
  switch (kind) {
    case 'window':
      return { ...windowLine(normalization), low: 0, high: 1, keepsZero: false, range: windowRange };
    case 'clip': {
      const { lower, upper, mean, deviation } = normalization;
      const [scale, shift] = [1 / deviation, 0 - mean / deviation];
      const [low, high] = [lower * scale + shift, upper * scale + shift];
      const range = { least: low, most: high, unit: high - low, outside: low };
      return { scale, shift, low, high, keepsZero: false, range };
    }
    case 'rgb':
      return { ...unlimited, scale: 1 / 255, shift: 0, range: lightRange };
    case 'zscore':
    case 'rescale':
    case 'none':
      return ofCase(normalization, statistics ?? fail(kind));
    default:
      return kind satisfies never;
  }
}

const unlimited = { low: -Infinity, high: Infinity, keepsZero: false } as const;

const fail = (kind: string): never => {
  throw new RangeError(`unreachable: ${kind} without the statistics of its case`);
};

function ofCase(
  normalization: Extract<Normalization, { readonly kind: 'zscore' | 'rescale' | 'none' }>,
  { mean, deviation, least, most, nonZero }: ChannelStatistics,
): IntensityMap {
  const lineRange = (scale: number, shift: number, unit: number) => {
    const [low, high] = [least * scale + shift, most * scale + shift];
    return { least: low, most: high, unit, outside: low };
  };
  switch (normalization.kind) {
    case 'zscore': {
      const of = normalization.nonZero ? nonZero : { mean, deviation };
      // The same value everywhere has no deviation, and becomes 0.
      const scale = of.deviation > 0 ? 1 / of.deviation : 0;
      const shift = 0 - of.mean * scale;
      const range = lineRange(scale, shift, deviationsInUnit);
      if (!normalization.nonZero) return { ...unlimited, scale, shift, range };
      const held = { least: Math.min(range.least, 0), most: Math.max(range.most, 0), outside: 0 };
      return { ...unlimited, scale, shift, keepsZero: true, range: { ...range, ...held } };
    }
    case 'rescale': {
      const scale = most > least ? 1 / (most - least) : 0;
      return { scale, shift: 0 - least * scale, low: 0, high: 1, keepsZero: false, range: windowRange };
    }
    case 'none':
      return {
        ...unlimited,
        scale: 1,
        shift: 0,
        range: lineRange(1, 0, deviation > 0 ? deviationsInUnit * deviation : 1),
      };
    default:
      return normalization satisfies never;
  }
}

/** The normalised values, any shape, same order; into `out`, which may be `values` itself. */
export function normalize(values: VoxelArray, map: IntensityMap, out: Float32Array): Float32Array {
  const { scale, shift, low, high, keepsZero } = map;
  for (let n = 0; n < values.length; n++) {
    const value = values[n] * scale + shift;
    out[n] = keepsZero && values[n] === 0 ? 0 : value < low ? low : value > high ? high : value;
  }
  return out;
}

/** Takes the voxels of a channel in the order of its file, in any pieces, and tells their statistics. */
export class StatisticsCounter {
  private count = 0;
  /** Sums over the voxels other than 0, of their distance from the first of them. */
  private pivot = 0;
  private others = 0;
  private sum = 0;
  private squares = 0;
  private least = Number.POSITIVE_INFINITY;
  private most = Number.NEGATIVE_INFINITY;

  take(voxels: VoxelArray): void {
    this.count += voxels.length;
    for (let n = 0; n < voxels.length; n++) {
      const value = voxels[n];
      if (value < this.least) this.least = value;
      if (value > this.most) this.most = value;
      if (value === 0) continue;
      if (this.others === 0) this.pivot = value;
      const distance = value - this.pivot;
      this.others++;
      this.sum += distance;
      this.squares += distance * distance;
    }
  }

  /** Of all voxels so far, of which there is at least one. */
  statistics(): ChannelStatistics {
    const { count, others, pivot, sum, squares, least, most } = this;
    const mean = others === 0 ? 0 : pivot + sum / others;
    const spread = others === 0 ? 0 : Math.max(0, squares - (sum * sum) / others);
    const zeros = count - others;
    const whole = (mean * others) / count;
    const wholeSpread = spread + mean * mean * others * (zeros / count);
    const deviationOf = (squared: number, of: number) => (of === 0 ? 0 : Math.sqrt(squared / of));
    return {
      ...{ count, mean: whole, deviation: deviationOf(wholeSpread, count), least, most },
      nonZero: { count: others, mean, deviation: deviationOf(spread, others) },
    };
  }
}
