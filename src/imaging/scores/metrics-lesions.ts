import {
  type Components,
  type Connectivity,
  checkLabels,
  connectedComponents,
  labelSet,
} from '../parts/components.ts';
import { ImagingError } from '../volume/errors.ts';
import type { Shape3 } from '../volume/volume.ts';

export interface LesionOptions {
  /** The class whose connected parts are lesions. */
  readonly label: number;
  /** Which voxels are joined to lesions; 26 by default. */
  readonly connectivity?: Connectivity;
  /**
   * A true and a predicted lesion match if they share a voxel and their intersection over union is at least this, 0 to 1. 0 by default:
   * any overlap.
   */
  readonly iou?: number;
}

/** How many lesions were found, in one case or in all. Whole numbers. */
export interface LesionCounts {
  readonly trueLesions: number;
  /** True lesions that match a predicted one. */
  readonly found: number;
  readonly predictedLesions: number;
  /** Predicted lesions that match a true one. */
  readonly matched: number;
}

/**
 * What follows from the counts. A lesion may match several: a prediction that joins two true lesions finds both, and one that falls into two
 * parts has no false positive.
 */
export interface LesionScores extends LesionCounts {
  /** found / true lesions; null without true lesions. */
  readonly recall: number | null;
  /** matched / predicted lesions; null without predicted lesions. */
  readonly precision: number | null;
  /** 2 P R / (P + R); 0 where nothing matches, null where there is nothing to find and nothing was predicted. */
  readonly f1: number | null;
  /** Predicted lesions without a match; counted in cases without lesions too. */
  readonly falsePositives: number;
}

/**
 * Matches the lesions of two label maps, [depth, height, width].
 * Throws ImagingError for sizes that do not fit.
 */
export function countLesions(
  truth: Uint8Array,
  prediction: Uint8Array,
  shape: Shape3,
  { label, connectivity = 26, iou = 0 }: LesionOptions,
): LesionCounts {
  checkLabels(truth, shape, 'truth');
  checkLabels(prediction, shape, 'prediction');
  if (!(iou >= 0 && iou <= 1))
    throw new ImagingError({ field: 'iou', expected: 'a share from 0 to 1', found: `${iou}` });
  const real = connectedComponents(truth, shape, labelSet([label]), connectivity);
  const predicted = connectedComponents(prediction, shape, labelSet([label]), connectivity);
  const found = new Set<number>();
  const matched = new Set<number>();
  for (const [pair, both] of overlaps(real, predicted)) {
    const [a, b] = [Math.floor(pair / predicted.count), pair % predicted.count];
    if (both < iou * (real.voxels[a] + predicted.voxels[b] - both)) continue;
    found.add(a);
    matched.add(b);
  }
  return {
    trueLesions: real.count,
    found: found.size,
    predictedLesions: predicted.count,
    matched: matched.size,
  };
}

/** Voxels that a part of `a` and one of `b` share, by number of a * count of b + number of b. */
function overlaps(a: Components, b: Components): Map<number, number> {
  const shared = new Map<number, number>();
  for (let p = 0, q = 0; p < a.part.length && q < b.part.length; ) {
    const both = Math.min(a.end[p], b.end[q]) - Math.max(a.start[p], b.start[q]);
    const pair = a.part[p] * b.count + b.part[q];
    if (both > 0) shared.set(pair, (shared.get(pair) ?? 0) + both);
    if (a.end[p] < b.end[q]) p++;
    else q++;
  }
  return shared;
}

/** Sums of the counts of cases. */
export function sumLesions(cases: readonly LesionCounts[]): LesionCounts {
  const sum = (key: keyof LesionCounts): number => cases.reduce((total, counts) => total + counts[key], 0);
  return {
    trueLesions: sum('trueLesions'),
    found: sum('found'),
    predictedLesions: sum('predictedLesions'),
    matched: sum('matched'),
  };
}

/** The scores that counts give. */
export function lesionScores(counts: LesionCounts): LesionScores {
  const { trueLesions, found, predictedLesions, matched } = counts;
  const recall = trueLesions === 0 ? null : found / trueLesions;
  const precision = predictedLesions === 0 ? null : matched / predictedLesions;
  const [r, p] = [recall ?? 0, precision ?? 0];
  const nothing = recall === null && precision === null;
  const f1 = nothing ? null : r + p === 0 ? 0 : (2 * p * r) / (p + r);
  return {
    ...{ trueLesions, found, predictedLesions, matched, recall, precision, f1 },
    falsePositives: predictedLesions - matched,
  };
}
