import { describe, expect, it } from 'vitest';
import {
  type ChannelStatistics,
  defaultNormalizations,
  intensityMapOf,
  type Normalization,
  normalize,
  StatisticsCounter,
} from './normalization.ts';

function statisticsOf(values: readonly number[], piece = values.length): ChannelStatistics {
  const counter = new StatisticsCounter();
  for (let n = 0; n < values.length; n += piece) counter.take(Float64Array.from(values.slice(n, n + piece)));
  return counter.statistics();
}

/** Mean and population deviation, in two passes. */
function moments(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const spread = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { count: values.length, mean, deviation: Math.sqrt(spread) };
}

const values = [0, 3, 900, 0, 0, -7.5, 1200.25, 411, 0, 2, 2, 2];

describe('statistics of a channel', () => {
  it('are those of all voxels and of those that are not 0, in any pieces with the same bits', () => {
    const found = statisticsOf(values);
    for (const [own, expected] of [
      [found, moments(values)],
      [found.nonZero, moments(values.filter((value) => value !== 0))],
    ] as const) {
      expect(own.count).toBe(expected.count);
      expect(own.mean).toBeCloseTo(expected.mean, 10);
      expect(own.deviation).toBeCloseTo(expected.deviation, 10);
    }
    expect([found.least, found.most]).toEqual([-7.5, 1200.25]);
    for (const piece of [1, 2, 5]) expect(statisticsOf(values, piece)).toEqual(found);
  });

  it('keep their digits far from 0, and know a constant and nothing but zeros', () => {
    const far = Array.from({ length: 1000 }, (_, n) => 1e7 + (n % 3));
    expect(statisticsOf(far).deviation).toBeCloseTo(moments(far).deviation, 9);
    expect(statisticsOf([5, 5, 5])).toMatchObject({ mean: 5, deviation: 0 });
    expect(statisticsOf([0, 0]).nonZero).toEqual({ count: 0, mean: 0, deviation: 0 });
  });
});

describe('a normalised channel', () => {
  const of = (normalization: Normalization, of = values) => {
    const map = intensityMapOf(normalization, statisticsOf(of));
    return { map, out: [...normalize(Float32Array.from(of), map, new Float32Array(of.length))] };
  };

  it('has mean 0 and deviation 1 as a z-score, of the voxels other than 0 alone where asked for', () => {
    const { mean, deviation } = moments(of({ kind: 'zscore' }).out);
    expect([mean, deviation - 1].map((n) => Math.abs(n) < 1e-6)).toEqual([true, true]);
    const { out, map } = of({ kind: 'zscore', nonZero: true });
    expect(out.filter((_, n) => values[n] === 0)).toEqual([0, 0, 0, 0]);
    const inside = moments(out.filter((_, n) => values[n] !== 0));
    expect([inside.mean, inside.deviation - 1].map((n) => Math.abs(n) < 1e-6)).toEqual([true, true]);
    expect(map.range.outside).toBe(0);
    expect(of({ kind: 'zscore' }, [4, 4]).out).toEqual([0, 0]);
  });

  it('is cut off and scaled as it says, within the range that it tells', () => {
    expect(of({ kind: 'rescale' }, [-2, 0, 2]).out).toEqual([0, 0.5, 1]);
    expect(of({ kind: 'rgb' }, [0, 51, 255]).out.map((value) => +value.toFixed(6))).toEqual([0, 0.2, 1]);
    expect(of({ kind: 'none' }, [-2, 7]).out).toEqual([-2, 7]);
    expect(of({ kind: 'window', lower: -10, upper: 10 }, [-20, 0, 5, 11]).out).toEqual([0, 0.5, 0.75, 1]);
    const clip = { kind: 'clip', lower: 0, upper: 8, mean: 4, deviation: 2 } as const;
    expect(of(clip, [-5, 4, 5, 50]).out).toEqual([-2, 0, 0.5, 2]);
    const kinds = [clip, { kind: 'zscore' }, { kind: 'zscore', nonZero: true }, { kind: 'none' }] as const;
    for (const kind of kinds) {
      const { out, map } = of(kind);
      const [least, most] = [Math.fround(map.range.least), Math.fround(map.range.most)];
      for (const value of out) expect([value >= least, value <= most]).toEqual([true, true]);
    }
  });

  it('is what its name says, as nnU-Net takes it', () => {
    const names = ['CT', 'T1', 'noNorm', 'rescale_to_0_1', 'rgb_to_0_1', 'PET'];
    const window = { kind: 'window', lower: 0, upper: 100 };
    expect(defaultNormalizations(names, { lower: 0, upper: 100 })).toEqual([
      window,
      ...['zscore', 'none', 'rescale', 'rgb', 'zscore'].map((kind) => ({ kind })),
    ]);
    expect(defaultNormalizations(undefined, { lower: 0, upper: 100 })).toEqual([window]);
  });
});
