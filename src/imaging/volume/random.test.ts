import { describe, expect, it } from 'vitest';
import { fillNormal, RandomStream, randomKey, uniformAt } from './random.ts';

describe('random numbers', () => {
  it('are uniform and normal, and depend on every part of the key', () => {
    const n = 20_000;
    const noise = new Float32Array(n);
    fillNormal(noise, randomKey(1, 2), 3);
    const mean = noise.reduce((sum, value) => sum + value, 0) / n;
    const deviation = Math.sqrt(noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(Math.abs(deviation - 3)).toBeLessThan(0.1);
    const counts = new Array(10).fill(0);
    for (let at = 0; at < n; at++) counts[Math.floor(10 * uniformAt(5, at))]++;
    expect(Math.min(...counts)).toBeGreaterThan(1800);
    const keys = [[0], [0, 0], [1, 0], [0, 1], [-1], [2 ** 32]].map((parts) => randomKey(...parts));
    expect(new Set(keys).size).toBe(6);
  });

  it('are the same wherever a part of the sequence begins', () => {
    const whole = new Float32Array(101);
    fillNormal(whole, 7, 2);
    const part = new Float32Array(31);
    fillNormal(part, 7, 2, 70);
    expect(part).toEqual(whole.subarray(70));
  });

  it('stay within 2 deviations where they are truncated', () => {
    const random = new RandomStream(4);
    for (let n = 0; n < 1000; n++) expect(Math.abs(random.truncatedNormal())).toBeLessThanOrEqual(2);
  });
});
