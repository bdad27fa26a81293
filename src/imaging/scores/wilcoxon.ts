// A paired test of two lists of scores of the same cases.

/** What {@link wilcoxon} gives. */
export interface PairedTest {
  /** Pairs that differ; the others say nothing. */
  readonly pairs: number;
  /** Sum of the ranks of the positive differences. */
  readonly positive: number;
  /** Probability of ranks at least as far from even where neither side is better; 1 without pairs. */
  readonly p: number;
  /** Whether all assignments of signs were counted; else a normal distribution stands for them. */
  readonly exact: boolean;
}

/** Pairs up to which all assignments of signs are counted. */
const MOST_EXACT = 60;

/**
 * Two-sided signed-rank test (Wilcoxon 1945) of paired differences: they are ranked by size, equal ones by the mean of their ranks,
 * and zeros are left out. The null distribution is that of all assignments of signs to these ranks, counted exactly up to 60
 * pairs; beyond that normal, with the variance of the ranks as they are and half a rank towards the mean (Hollander & Wolfe 1999).
 */
export function wilcoxon(differences: readonly number[]): PairedTest {
  const given = differences.filter((difference) => difference !== 0);
  const sorted = given.toSorted((a, b) => Math.abs(a) - Math.abs(b));
  const n = sorted.length;
  // Twice the ranks: means of ranks are then whole.
  const ranks: number[] = [];
  for (let from = 0; from < n; ) {
    let to = from + 1;
    while (to < n && Math.abs(sorted[to]) === Math.abs(sorted[from])) to++;
    for (let i = from; i < to; i++) ranks[i] = from + 1 + to;
    from = to;
  }
  const twice = ranks.reduce((sum, rank, i) => (sorted[i] > 0 ? sum + rank : sum), 0);
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const found = { pairs: n, positive: twice / 2 };
  if (n === 0) return { ...found, p: 1, exact: true };
  if (n <= MOST_EXACT) return { ...found, p: exactP(ranks, total, twice), exact: true };
  const deviation = Math.sqrt(ranks.reduce((sum, rank) => sum + rank * rank, 0)) / 4;
  const far = Math.max(0, Math.abs(twice - total / 2) / 2 - 0.5);
  return { ...found, p: Math.min(1, 2 * upperTail(far / deviation)), exact: false };
}

/** Share of the 2^n assignments whose sum of positive ranks is at least as far from the middle. */
function exactP(ranks: readonly number[], total: number, found: number): number {
  // Shares and not counts, so that nothing overflows: each sign halves them.
  let shares = new Float64Array(total + 1);
  shares[0] = 1;
  for (const rank of ranks) {
    const next = new Float64Array(total + 1);
    for (let sum = 0; sum <= total; sum++) {
      if (shares[sum] === 0) continue;
      next[sum] += shares[sum] / 2;
      next[sum + rank] += shares[sum] / 2;
    }
    shares = next;
  }
  const far = Math.abs(2 * found - total);
  return Math.min(
    1,
    shares.reduce((p, share, sum) => (Math.abs(2 * sum - total) >= far ? p + share : p), 0),
  );
}

/** Probability of a standard normal number above z >= 0, to 1e-7 (Abramowitz & Stegun 1964, 7.1.26). */
export function upperTail(z: number): number {
  const x = z / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const poly = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429];
  const sum = poly.reduceRight((rest, factor) => (rest + factor) * t, 0);
  return 0.5 * sum * Math.exp(-x * x);
}
