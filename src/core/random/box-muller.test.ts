import { describe, expect, it } from 'vitest';
import { cosOfDraw, logOfDraw } from './box-muller.ts';

/** A hash of float64 numbers, by their bits; native/test/normal_test.cpp takes the same of its own. */
function hashOf(count: number, number: (n: number) => number): number {
  const value = new Float64Array(1);
  const words = new Int32Array(value.buffer);
  let hash = 0x811c9dc5 | 0;
  for (let n = 0; n < count; n++) {
    value[0] = number(n);
    hash = Math.imul(hash ^ words[0], 0x01000193);
    hash = Math.imul(hash ^ words[1], 0x01000193) ^ (hash >>> 15);
  }
  return hash >>> 0;
}

const DRAWS = 2 ** 24;

describe('logarithms and cosines of draws', () => {
  it('have the same bits in every engine', () => {
    expect(hashOf(DRAWS, (n) => logOfDraw(n + 1))).toBe(3658125230);
    expect(hashOf(DRAWS, cosOfDraw)).toBe(2562025156);
  });

  it('are those of Math within the last place', () => {
    let [log, cos] = [0, 0];
    for (let n = 0; n < DRAWS; n += 41) {
      const exact = Math.log((n + 1) / DRAWS);
      log = Math.max(log, Math.abs(logOfDraw(n + 1) - exact) / (Math.abs(exact) || 1));
      cos = Math.max(cos, Math.abs(cosOfDraw(n) - Math.cos(2 * Math.PI * (n / DRAWS))));
    }
    expect(log).toBeLessThan(2 ** -51.9);
    expect(cos).toBeLessThan(2 ** -51.9);
  });
});
