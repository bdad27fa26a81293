import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accuracyOf,
  aucOf,
  classAucs,
  compareAucs,
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

describe('two AUC of the same images', () => {
  it('differ by as much as the covariances of all pairs say', () => {
    const truth = [true, true, true, true, false, false, false];
    const a = [0.9, 0.7, 0.4, 0.6, 0.5, 0.3, 0.2];
    const b = [0.8, 0.3, 0.5, 0.2, 0.6, 0.1, 0.4];
    const shares = (scores: readonly number[]) => {
      const above = [0, 1, 2, 3].map((i) => [4, 5, 6].filter((j) => scores[i] > scores[j]).length / 3);
      const below = [4, 5, 6].map((j) => [0, 1, 2, 3].filter((i) => scores[i] > scores[j]).length / 4);
      return [above, below] as const;
    };
    const middle = (values: readonly number[]) => values.reduce((x, y) => x + y, 0) / values.length;
    const covariance = (x: readonly number[], y: readonly number[]) =>
      x.reduce((sum, one, i) => sum + (one - middle(x)) * (y[i] - middle(y)), 0) / (x.length - 1);
    const [x, y] = [shares(a), shares(b)];
    const square = [0, 1].reduce(
      (sum, side) =>
        sum +
        (covariance(x[side], x[side]) + covariance(y[side], y[side]) - 2 * covariance(x[side], y[side])) /
          x[side].length,
      0,
    );
    const [first, second] = [middle(x[0]), middle(y[0])];
    const z = Math.abs(first - second) / Math.sqrt(square);
    const found = compareAucs(a, b, truth)!;
    expect(found.first).toBeCloseTo(first, 12);
    expect(found.second).toBeCloseTo(second, 12);
    // Two-sided: 0.3173 at one deviation, 0.0455 at two.
    const tail = (at: number): number => {
      let sum = 0;
      for (let t = at + 5e-5; t < at + 10; t += 1e-4) sum += Math.exp((-t * t) / 2) * 1e-4;
      return (2 * sum) / Math.sqrt(2 * Math.PI);
    };
    expect(found.p).toBeCloseTo(tail(z), 6);
    expect(compareAucs(a, a, truth)?.p).toBe(1);
    expect(compareAucs([0.1, 0.2], [0.3, 0.1], [true, false])?.p).toBeNull();
    expect(
      compareAucs(
        a,
        b,
        truth.map(() => true),
      ),
    ).toBeNull();
  });
});

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
