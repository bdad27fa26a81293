import { describe, expect, it } from 'vitest';
import { fillNormalPairs, RandomStream, randomKey, uniformAt } from './random-sequence.ts';

describe('random numbers', () => {
  it('are these, which phantoms and changed samples of all runs come from', () => {
    expect(randomKey(1, 2, 2 ** 32 + 3)).toBe(328769843);
    expect([0, 1, 2 ** 32 - 1].map((index) => uniformAt(328769843, index))).toEqual([
      0.83544481464196, 0.07891353976447135, 0.250946554238908,
    ]);
    const pairs = new Float32Array(3);
    fillNormalPairs(pairs, 328769843, 1);
    expect([...pairs]).toEqual([0.5274384617805481, 0.2852904796600342, 0.4572407901287079]);
    const random = new RandomStream(9, 8);
    expect([random.uniform(), random.between(-1, 1), random.normal()]).toEqual([
      0.3079334065550938, 0.1366153962444514, 0.63633608749771,
    ]);
  });

  it('are uniform and normal, and depend on every part of the key', () => {
    const n = 20_000;
    const noise = new Float32Array(n);
    fillNormalPairs(noise, randomKey(1, 2), 3);
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
    fillNormalPairs(whole, 7, 2);
    const part = new Float32Array(31);
    fillNormalPairs(part, 7, 2, 70);
    expect(part).toEqual(whole.subarray(70));
  });

  it('stay within 2 deviations where they are truncated', () => {
    const random = new RandomStream(4);
    for (let n = 0; n < 1000; n++) expect(Math.abs(random.truncatedNormal())).toBeLessThanOrEqual(2);
  });
});
