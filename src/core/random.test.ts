import { describe, expect, it } from 'vitest';
import { fillNormal, normal, randomBits, uniform } from './random.ts';

// key0, key1, step, index, bits, normal: the numbers that native/rows/random.h gives (native/test/rows_test.cpp holds the same table).
const GOLDEN = [
  [0, 0, 0, 0, 3749837742, 0.270796354],
  [1, 2, 0, 0, 3955113026, -0.385550916],
  [1, 2, 0, 1, 2426577589, 1.06267471],
  [1, 2, 3, 1, 3908295742, 0.432494128],
  [4294967295, 2147483648, 7, 123456789, 1258684357, 1.39128144],
  [42, 7, 1000, 4294967295, 3240323547, 0.4724992],
  [42, 7, 1000, 4294967296, 3009220627, 0.0560584748],
  [42, 7, 1000, 9007199254740991, 2837472377, -0.13448313],
] as const;

describe('counter-based random numbers', () => {
  it.each(GOLDEN)('key0 %i, key1 %i, step %i, index %i', (key0, key1, step, index, bits, z) => {
    expect(randomBits(key0, key1, step, index)).toBe(bits);
    expect(uniform(key0, key1, step, index)).toBe(Math.floor(bits / 256) * 2 ** -24);
    expect(normal(key0, key1, step, index)).toBeCloseTo(z, 8);
  });

  it('has the mean, variance and independence of uniform and normal numbers', () => {
    const n = 100_000;
    const u = Array.from({ length: n }, (_, i) => uniform(7, 9, 3, i) - 0.5);
    const z = Array.from({ length: n }, (_, i) => normal(7, 9, 3, i));
    const mean = (x: number[], f: (x: number, i: number) => number) =>
      x.reduce((s, v, i) => s + f(v, i), 0) / n;
    expect(Math.abs(mean(u, (x) => x))).toBeLessThan(0.004);
    expect(Math.abs(mean(u, (x) => x * x) * 12 - 1)).toBeLessThan(0.015);
    expect(Math.abs(mean(u, (x, i) => x * (u[i + 1] ?? 0)) * 12)).toBeLessThan(0.015);
    expect(Math.abs(mean(z, (x) => x))).toBeLessThan(0.015);
    expect(Math.abs(mean(z, (x) => x * x) - 1)).toBeLessThan(0.02);
    expect(Math.abs(mean(z, (x) => x ** 4) - 3)).toBeLessThan(0.2);
  });
});

describe('fillNormal', () => {
  it('gives the numbers of normal, at any place and over the carry of the index', () => {
    for (const first of [0, 1, 12345, 2 ** 32 - 3, 2 ** 40 + 2 ** 32 - 2])
      for (const [key0, key1] of [
        [0, 0],
        [7, 0xdeadbeef],
        [0xffffffff, 1],
      ]) {
        const out = new Float64Array(9);
        fillNormal(out, { key0, key1, first, deviation: 0.3 });
        expect([...out]).toEqual(Array.from(out, (_, i) => 0.3 * normal(key0, key1, 0, first + i)));
      }
  });
});
