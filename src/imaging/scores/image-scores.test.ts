import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accuracyOf,
  aucOf,
  classAucs,
  confusionTable,
  meanAuc,
  meanRanks,
  type ScoredImage,
} from './image-scores.ts';

/** Counted pair by pair: how often one that is has more than one that is not, ties half. */
function counted(scores: readonly number[], truth: readonly boolean[]) {
  const pairs: number[][] = [];
  for (const [i, x] of scores.entries()) {
    if (!truth[i]) continue;
    pairs.push(scores.flatMap((y, j) => (truth[j] ? [] : [x > y ? 1 : x === y ? 0.5 : 0])));
  }
  const [m, n] = [pairs.length, pairs[0]?.length ?? 0];
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const auc = sum(pairs.flat()) / (m * n);
  const spread = (shares: readonly number[]) =>
    sum(shares.map((share) => (share - auc) ** 2)) / (shares.length - 1) / shares.length;
  const rows = pairs.map((row) => sum(row) / n);
  const columns = Array.from({ length: n }, (_, j) => sum(pairs.map((row) => row[j])) / m);
  return { auc, m, n, variance: spread(rows) + spread(columns) };
}

describe('AUC', () => {
  it('counts pairs, ties half', () => {
    // Of 3 x 2 pairs 0.9 is above both, 0.4 above one and equal to one, 0.1 below both: 2 + 1.5 + 0.
    const found = aucOf([0.9, 0.4, 0.1, 0.4, 0.2], [true, true, true, false, false]);
    expect(found?.auc).toBeCloseTo(3.5 / 6, 12);
    expect(meanRanks([3, 1, 3, 2, 3])).toEqual([4, 1, 4, 2, 4]);
  });

  it('and its interval are those of all pairs, whatever the scores', () => {
    const one = fc.tuple(fc.integer({ min: 0, max: 6 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(one, { maxLength: 24 }), (all) => {
        const scores = all.map(([score]) => score / 6);
        const truth = all.map(([, is]) => is);
        const found = aucOf(scores, truth);
        const { auc, m, n, variance } = counted(scores, truth);
        if (m === 0 || n === 0) {
          expect(found).toBeNull();
          return;
        }
        expect(found?.auc).toBeCloseTo(auc, 12);
        if (m < 2 || n < 2) {
          expect(found?.interval).toBeNull();
          return;
        }
        const half = 1.959963984540054 * Math.sqrt(variance);
        expect(found?.interval?.[0]).toBeCloseTo(Math.max(0, auc - half), 12);
        expect(found?.interval?.[1]).toBeCloseTo(Math.min(1, auc + half), 12);
      }),
    );
  });

  it('of two classes is one number, of more the mean of each against the rest that there is', () => {
    const images = (rows: readonly (readonly [number, ...number[]])[]): ScoredImage[] =>
      rows.map(([label, ...probabilities]) => ({ label, probabilities }));
    const two = images([
      [0, 0.8, 0.2],
      [1, 0.7, 0.3],
      [0, 0.6, 0.4],
      [1, 0.1, 0.9],
    ]);
    const [first, second] = classAucs(two, 2);
    expect([first?.auc, second?.auc, meanAuc([first, second])]).toEqual([0.75, 0.75, 0.75]);
    expect(accuracyOf(two)).toBe(0.75);
    expect(confusionTable(two, 2)).toEqual([
      [2, 0],
      [1, 1],
    ]);
    const three = images([
      [0, 0.6, 0.3, 0.1],
      [1, 0.5, 0.4, 0.1],
      [1, 0.4, 0.2, 0.4],
    ]);
    const aucs = classAucs(three, 3);
    expect(aucs.map((one) => one?.auc ?? null)).toEqual([1, 0.5, null]);
    expect(meanAuc(aucs)).toBe(0.75);
    expect(meanAuc(classAucs(two.slice(0, 1), 2))).toBeNull();
    expect(accuracyOf([])).toBeNull();
  });
});
