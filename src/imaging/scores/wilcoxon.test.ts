import { describe, expect, it } from 'vitest';
import { wilcoxon } from './wilcoxon.ts';

/** All assignments of signs, one by one. */
function counted(differences: readonly number[]): number {
  const sizes = differences.map(Math.abs).sort((a, b) => a - b);
  const rank = (size: number): number => (sizes.indexOf(size) + sizes.lastIndexOf(size)) / 2 + 1;
  const ranks = differences.map((d) => rank(Math.abs(d)));
  const middle = ranks.reduce((a, b) => a + b, 0) / 2;
  const far = (signs: readonly boolean[]): number =>
    Math.abs(ranks.reduce((sum, r, i) => (signs[i] ? sum + r : sum), 0) - middle);
  const found = far(differences.map((d) => d > 0));
  let hits = 0;
  for (let bits = 0; bits < 2 ** ranks.length; bits++)
    if (far(ranks.map((_, i) => ((bits >> i) & 1) === 1)) >= found - 1e-9) hits++;
  return hits / 2 ** ranks.length;
}

describe('signed ranks', () => {
  it.each([
    // Heights of crossed and self-fertilised plants (Darwin 1876), whose p is known: 0.0412597.
    [[49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]],
    [[1]],
    [[1, 1, 1, 1, 1, 1]],
    [[1, -1, 2, -2, 2, 5, 5, -7]],
    [[0.1, 0.2, -0.05, 0.2, 0.2, -0.2, 0.4]],
  ])('of %j are counted exactly', (differences) => {
    expect(wilcoxon(differences).p).toBeCloseTo(counted(differences), 12);
    expect(wilcoxon(differences.map((d) => -d)).p).toBeCloseTo(counted(differences), 12);
  });

  it('have the p of a textbook', () => {
    const darwin = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];
    expect(wilcoxon(darwin)).toMatchObject({ pairs: 15, positive: 96, exact: true });
    expect(wilcoxon(darwin).p).toBeCloseTo(0.041259765625, 12);
  });

  it('leave out pairs that are equal', () => {
    expect(wilcoxon([0, 0, 1, 2, 3])).toEqual(wilcoxon([1, 2, 3]));
    expect(wilcoxon([])).toEqual({ pairs: 0, positive: 0, p: 1, exact: true });
    expect(wilcoxon([0])).toMatchObject({ pairs: 0, p: 1 });
  });

  it('of many pairs are those of a normal distribution, near the exact ones', () => {
    const some = (n: number) => Array.from({ length: n }, (_, i) => Math.sin(37 * i) + 0.2);
    const [exact, near] = [wilcoxon(some(60)), wilcoxon([...some(60), 1e-9])];
    expect([exact.exact, near.exact]).toEqual([true, false]);
    expect(Math.abs(exact.p - near.p)).toBeLessThan(0.01);
    expect(exact.p).toBeGreaterThan(0.01);
    expect(wilcoxon(Array.from({ length: 100 }, (_, i) => i + 1)).p).toBeLessThan(1e-15);
  });
});
