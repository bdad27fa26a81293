import { IGNORED, withoutIgnored } from '../volume/label-codes.ts';
import type { Grid } from '../volume/volume.ts';
import { Confusion, type CountScores } from './metrics.ts';
import {
  countLesions,
  type LesionCounts,
  type LesionScores,
  lesionScores,
  sumLesions,
} from './metrics-lesions.ts';
import { type SurfaceScores, surfaceScores } from './surface.ts';

/**
 * The number of these definitions: it changes when any figure of an evaluation comes to mean something else.
 * 1: `docs/metrics.md`.
 */
export const METRICS_VERSION = 1;

/** How cases are compared, beyond counts of voxels. */
export interface MetricSettings {
  /** mm, for the surface Dice: of all classes, or of each class above 0. */
  readonly tolerance: number | readonly number[];
  /** Whether distances between surfaces are taken; they are by default. */
  readonly surfaces?: boolean;
  /** The class whose connected parts are counted one by one; absent where none is. */
  readonly lesion?: number;
  /** A predicted lesion matches a true one from this intersection over union on; 0, any overlap, by default. */
  readonly lesionIou?: number;
  /** Classes of each region, the background first, where regions are judged and not classes: the class of lesions is then one of them. */
  readonly sets?: readonly (readonly number[])[];
}

/** What a comparison of two label maps of a case gives. */
export interface CaseComparison {
  readonly confusion: Confusion;
  /** By class; absent where only voxels were counted. */
  readonly surface?: readonly SurfaceScores[];
  readonly lesions?: LesionCounts;
}

/**
 * Compares the label maps of a case, both [depth, height, width] on `grid`. Voxels whose truth is {@link IGNORED} count nowhere:
 * they become background in both arrays.
 * Throws ImagingError if they do not fill the grid or have a label that is no class.
 */
export function compareCase(
  truth: Uint8Array,
  prediction: Uint8Array,
  grid: Grid,
  classes: number,
  settings: MetricSettings,
): CaseComparison {
  const { shape } = grid;
  const { tolerance, surfaces = true, lesion, lesionIou, sets } = settings;
  const confusion = new Confusion(classes, sets).add(prediction, truth);
  if (classes <= IGNORED) withoutIgnored(truth, prediction);
  const surfaceOf = (label: number): SurfaceScores => {
    const mm = typeof tolerance === 'number' ? tolerance : tolerance[label - 1];
    const of = asOneClass(truth, prediction, label, sets);
    return surfaceScores(of.truth, of.prediction, shape, grid, { label: of.label, tolerance: mm });
  };
  const judged = sets?.length ?? classes;
  const surface = surfaces ? Array.from({ length: judged - 1 }, (_, n) => surfaceOf(n + 1)) : undefined;
  const lesionsOf = (label: number): LesionCounts => {
    const of = asOneClass(truth, prediction, label, sets);
    return countLesions(of.truth, of.prediction, shape, { label: of.label, iou: lesionIou });
  };
  const lesions = lesion === undefined ? undefined : lesionsOf(lesion);
  return { confusion, surface, lesions };
}

/** Label maps in which a class is one label; those of a region are copies. */
function asOneClass(
  truth: Uint8Array,
  prediction: Uint8Array,
  label: number,
  sets: MetricSettings['sets'],
): { readonly truth: Uint8Array; readonly prediction: Uint8Array; readonly label: number } {
  if (sets === undefined) return { truth, prediction, label };
  const inside = Uint8Array.from({ length: 256 }, (_, cls) => (sets[label].includes(cls) ? 1 : 0));
  const mask = (labels: Uint8Array): Uint8Array => labels.map((cls) => inside[cls]);
  return { truth: mask(truth), prediction: mask(prediction), label: 1 };
}

/** Scores of one class in one case; those of the surface are absent where only voxels were counted. */
export type CaseScores = CountScores & Partial<SurfaceScores>;

/** All scores that are summed up over cases. */
export const SCORES = [
  'dice',
  'jaccard',
  'precision',
  'recall',
  'specificity',
  'volumeDifference',
  'hausdorff',
  'hausdorff95',
  'meanToTruth',
  'meanToPrediction',
  'meanSurfaceDistance',
  'surfaceDice',
] as const satisfies readonly Exclude<keyof CaseScores, `${string}Voxels`>[];
export type Score = (typeof SCORES)[number];

/** A score over the cases in which it is defined. */
export interface Summary {
  /** How many cases those are. */
  readonly cases: number;
  /** This and the rest are null where there is no such case. */
  readonly mean: number | null;
  /** The standard deviation (of the cases themselves: over n, not n - 1). */
  readonly deviation: number | null;
  readonly median: number | null;
  readonly least: number | null;
  readonly most: number | null;
}

/** The figures of one class over a set of cases. */
export interface ClassScores {
  readonly name: string;
  /** The mean of the cases' Dice, over those where it is defined; null if there are none. */
  readonly meanDice: number | null;
  /** How many cases that mean is over. */
  readonly casesScored: number;
  /** Dice of the sums over all cases: large findings weigh more. */
  readonly globalDice: number | null;
  /** The class's share of all voxels, in truth and in prediction. */
  readonly trueShare: number;
  readonly predictedShare: number;
  /** Cases with the class in the truth and not in the prediction: Dice 0, and no distance. */
  readonly casesMissed: number;
  /** Cases with the class in the prediction and not in the truth: Dice 0, and no distance. */
  readonly casesInvented: number;
  /** Each score over the cases. */
  readonly scores: Readonly<Partial<Record<Score, Summary>>>;
  /** Scores of the sums of voxels over all cases. */
  readonly global: CountScores;
}

/** Lesions of all cases together. */
export interface LesionTotals extends LesionScores {
  /** Name of the class. */
  readonly name: string;
  /** Over all cases, those without lesions too; null without cases. */
  readonly falsePositivesPerCase: number | null;
}

/** The evaluation of a set of cases. */
export interface Evaluation {
  readonly cases: readonly {
    readonly id: string;
    readonly accuracy: number | null;
    /** By class name; null where the class is absent from truth and prediction. */
    readonly dice: Readonly<Record<string, number | null>>;
    /** By class name. */
    readonly classes: Readonly<Record<string, CaseScores>>;
    readonly lesions?: LesionScores;
  }[];
  readonly classes: readonly ClassScores[];
  readonly lesions?: LesionTotals;
  readonly accuracy: number | null;
}

/** Sums up cases; `names` are those of classes 0, 1, 2..., or of the background and regions, and `lesion` is the class whose parts were counted. */
export function evaluation(
  cases: readonly ({ readonly id: string } & CaseComparison)[],
  names: readonly string[],
  lesion?: number,
): Evaluation {
  const [first] = cases;
  const total = first === undefined ? new Confusion(names.length) : first.confusion.empty();
  for (const { confusion } of cases) total.merge(confusion);
  const scored = cases.map(({ id, confusion, surface, lesions }) => ({
    id,
    accuracy: confusion.accuracy,
    dice: byName(names, (label) => confusion.dice(label)),
    classes: byName(
      names,
      (label): CaseScores => ({
        ...confusion.scores(label),
        ...(label > 0 ? surface?.[label - 1] : undefined),
      }),
    ),
    ...(lesions && { lesions: lesionScores(lesions) }),
  }));
  const classes = names.map((name, label) => {
    const scores = scored.map((one) => one.classes[name]);
    const summaries = summariesOf(scores);
    const { voxels } = total;
    return {
      name,
      meanDice: summaries.dice?.mean ?? null,
      casesScored: summaries.dice?.cases ?? 0,
      globalDice: total.dice(label),
      trueShare: voxels === 0 ? 0 : total.trueVoxels(label) / voxels,
      predictedShare: voxels === 0 ? 0 : total.predictedVoxels(label) / voxels,
      casesMissed: scores.filter((one) => one.trueVoxels > 0 && one.predictedVoxels === 0).length,
      casesInvented: scores.filter((one) => one.trueVoxels === 0 && one.predictedVoxels > 0).length,
      scores: summaries,
      global: total.scores(label),
    };
  });
  const counts = cases.flatMap(({ lesions }) => lesions ?? []);
  const lesions = lesion === undefined ? undefined : lesionTotals(counts, names[lesion]);
  return { cases: scored, classes, ...(lesions && { lesions }), accuracy: total.accuracy };
}

function lesionTotals(counts: readonly LesionCounts[], name: string): LesionTotals {
  const scores = lesionScores(sumLesions(counts));
  const perCase = counts.length === 0 ? null : scores.falsePositives / counts.length;
  return { name, ...scores, falsePositivesPerCase: perCase };
}

const byName = <T>(names: readonly string[], of: (label: number) => T): Record<string, T> =>
  Object.fromEntries(names.map((name, label) => [name, of(label)]));

/** Each score that the cases have. */
function summariesOf(cases: readonly CaseScores[]): Partial<Record<Score, Summary>> {
  const summaries: Partial<Record<Score, Summary>> = {};
  for (const score of SCORES) {
    const values = cases.map((one) => one[score]).filter((value) => value !== undefined);
    if (values.length > 0) summaries[score] = summaryOf(values.filter((value) => value !== null));
  }
  return summaries;
}

/** Sums up the values of some cases. */
export function summaryOf(values: readonly number[]): Summary {
  const cases = values.length;
  if (cases === 0) return { cases, mean: null, deviation: null, median: null, least: null, most: null };
  const sorted = [...values].sort((a, b) => a - b);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / cases;
  const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const median = (sorted[(cases - 1) >> 1] + sorted[cases >> 1]) / 2;
  return {
    cases,
    mean,
    deviation: Math.sqrt(squares / cases),
    median,
    least: sorted[0],
    most: sorted[cases - 1],
  };
}
