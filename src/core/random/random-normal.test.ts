import { describe, expect, it } from 'vitest';
import { drawNormals, inverseNormal } from './random-normal.ts';
import { randomKey } from './random-sequence.ts';

describe('drawNormals', () => {
  it('has the moments of a normal distribution and its tails', () => {
    const n = 200_000;
    const noise = new Float32Array(n);
    drawNormals(noise, randomKey(1, 2), 3);
    const moment = (power: number) => noise.reduce((sum, value) => sum + (value / 3) ** power, 0) / n;
    expect(Math.abs(moment(1))).toBeLessThan(0.01);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.02);
    expect(Math.abs(moment(3))).toBeLessThan(0.05);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.1);
    const beyond = noise.filter((value) => Math.abs(value) > 9).length / n;
    expect(Math.abs(beyond - 0.0027)).toBeLessThan(0.0005);
  });

  it('gives the same numbers wherever a part of the sequence begins and ends', () => {
    const whole = new Float32Array(101);
    drawNormals(whole, 7, 2);
    for (const from of [0, 1, 69, 70, 100]) {
      const part = new Float32Array(Math.min(31, 101 - from));
      drawNormals(part, 7, 2, from);
      expect(part).toEqual(whole.subarray(from, from + part.length));
    }
  });
});

it('inverseNormal agrees with published quantiles', () => {
  for (const [p, value] of [
    [1e-9, -5.9978070150076865],
    [0.01, -2.3263478740408408],
    [0.025, -1.9599639845400545],
    [0.3, -0.5244005127080409],
    [0.5, 0],
    [0.9, 1.2815515655446004],
    [0.9999, 3.7190164854556804],
  ])
    expect(Math.abs(inverseNormal(p) - value)).toBeLessThan(1e-8);
});
