import { upperTail } from './wilcoxon.ts';

// How well the classes of images as wholes are told, from the probabilities that each class is given.
//
//   AUC       the probability that an image of a class is given more of it than one of another class, ties counting half: the area under
//             the receiver operating characteristic, by the ranks R of the m images of the class among all m + n (Mann & Whitney 1947):
//             AUC = (sum of R - m (m + 1) / 2) / (m n), where equal numbers share the mean of their ranks
//   interval  AUC ± 1.96 sqrt(S10 / m + S01 / n), cut off at 0 and 1 (DeLong, DeLong & Clarke-Pearson 1988). S10 and S01 are the variances,
//             by m - 1 and n - 1, of the share of the other images that each image of the class is above, and of the share of the images of
//             the class that each other image is below, ties counting half: both from ranks as well (Sun & Xu 2014)
//   paired    two scores of the same images: the difference of their AUC over its deviation, whose square is (S10 of both - 2 C10) / m +
//             (S01 of both - 2 C01) / n with the covariances C of the shares, is a normal number where both are as good (the same)

/** Of a normal distribution 95 % lie within so many deviations on both sides. */
const DEVIATIONS = 1.959963984540054;

/** An image: the number of its class, and the probability of each class. */
export interface ScoredImage {
  readonly label: number;
  readonly probabilities: readonly number[];
}

/** The area under the curve, and where it lies with a probability of 95 %; this is null with less than two images on a side. */
export interface Auc {
  readonly auc: number;
  readonly interval: readonly [number, number] | null;
}

/** Ranks from 1; equal numbers share the mean of theirs. */
export function meanRanks(values: readonly number[]): number[] {
  const order = values.map((_, n) => n).sort((a, b) => values[a] - values[b]);
  const ranks = new Array<number>(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let n = from; n < to; n++) ranks[order[n]] = (from + 1 + to) / 2;
    from = to;
  }
  return ranks;
}

/** AUC of scores, the higher the likelier, of things that truly are or are not; null where all are, or none is. */
export function aucOf(scores: readonly number[], truth: readonly boolean[]): Auc | null {
  const shares = sharesOf(scores, truth);
  if (shares === null) return null;
  const { above, below } = shares;
  const auc = mean(above);
  if (above.length < 2 || below.length < 2) return { auc, interval: null };
  const half = DEVIATIONS * Math.sqrt(variance(above) / above.length + variance(below) / below.length);
  return { auc, interval: [Math.max(0, auc - half), Math.min(1, auc + half)] };
}

/** Of each image of the class the share of the others that it is above, and of each other one the share of those that it is below. */
function sharesOf(
  scores: readonly number[],
  truth: readonly boolean[],
): { readonly above: readonly number[]; readonly below: readonly number[] } | null {
  const [own, others] = [true, false].map((is) => scores.filter((_, n) => truth[n] === is));
  const [m, n] = [own.length, others.length];
  if (m === 0 || n === 0) return null;
  const all = meanRanks([...own, ...others]);
  const [ranksOfOwn, ranksOfOthers] = [own, others].map(meanRanks);
  return {
    above: own.map((_, i) => (all[i] - ranksOfOwn[i]) / n),
    below: others.map((_, j) => 1 - (all[m + j] - ranksOfOthers[j]) / m),
  };
}

/** Two AUC of the same things. */
export interface ComparedAuc {
  readonly first: number;
  readonly second: number;
  /** Two-sided, of both being as good; null with less than two things on a side. */
  readonly p: number | null;
}

/** Compares two scores of the same things; null where all are of the class, or none is. */
export function compareAucs(
  first: readonly number[],
  second: readonly number[],
  truth: readonly boolean[],
): ComparedAuc | null {
  const [a, b] = [sharesOf(first, truth), sharesOf(second, truth)];
  if (a === null || b === null) return null;
  const aucs = { first: mean(a.above), second: mean(b.above) };
  const [m, n] = [a.above.length, a.below.length];
  if (m < 2 || n < 2) return { ...aucs, p: null };
  const apart = (one: readonly number[], other: readonly number[]): number[] =>
    other.map((share, i) => share - one[i]);
  // The variance of differences is that of both less twice what they share.
  const deviation = Math.sqrt(variance(apart(a.above, b.above)) / m + variance(apart(a.below, b.below)) / n);
  const difference = Math.abs(aucs.second - aucs.first);
  if (deviation === 0) return { ...aucs, p: difference === 0 ? 1 : 0 };
  return { ...aucs, p: Math.min(1, 2 * upperTail(difference / deviation)) };
}

/** AUC of each class against all others. */
export function classAucs(images: readonly ScoredImage[], classes: number): (Auc | null)[] {
  return Array.from({ length: classes }, (_, cls) =>
    aucOf(
      images.map(({ probabilities }) => probabilities[cls]),
      images.map(({ label }) => label === cls),
    ),
  );
}

/** Of two classes the AUC of the second one, which is that of the first; of more the mean of those that have one. */
export function meanAuc(aucs: readonly (Auc | null)[]): number | null {
  if (aucs.length === 2) return aucs[1]?.auc ?? null;
  const known = aucs.flatMap((one) => (one === null ? [] : [one.auc]));
  return known.length === 0 ? null : mean(known);
}

/** The class of the highest probability; the first one of those that are equal. */
export const likeliest = ({ probabilities }: Pick<ScoredImage, 'probabilities'>): number =>
  probabilities.indexOf(Math.max(...probabilities));

/** Share of the images whose likeliest class is their own; null without images. */
export const accuracyOf = (images: readonly ScoredImage[]): number | null =>
  images.length === 0
    ? null
    : images.filter((image) => likeliest(image) === image.label).length / images.length;

/** Images by their true class and by the likeliest one: `table[truth][likeliest]`. */
export function confusionTable(images: readonly ScoredImage[], classes: number): number[][] {
  const table = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const image of images) table[image.label][likeliest(image)]++;
  return table;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function variance(values: readonly number[]): number {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}
