import { ImagingError } from './errors.ts';

/** Counts of voxels by true and predicted class. Whole numbers throughout, exact up to 2^53 voxels. */
export class Confusion {
  readonly classes: number;
  /** [true class, predicted class] */
  readonly counts: Float64Array;

  constructor(classes: number) {
    this.classes = classes;
    this.counts = new Float64Array(classes * classes);
  }

  /**
   * Adds two label maps of the same length, in the same voxel order.
   * Throws ImagingError if the lengths differ or a label is no class.
   */
  add(prediction: Uint8Array, truth: Uint8Array): this {
    const { classes, counts } = this;
    if (prediction.length !== truth.length) {
      const found = `${prediction.length}`;
      throw new ImagingError({
        field: 'prediction',
        expected: `${truth.length} voxels as in the truth`,
        found,
      });
    }
    for (let n = 0; n < truth.length; n++) {
      if (truth[n] >= classes || prediction[n] >= classes) {
        const found = `true ${truth[n]}, predicted ${prediction[n]}`;
        throw new ImagingError({ field: `voxel ${n}`, expected: `classes below ${classes}`, found });
      }
      counts[truth[n] * classes + prediction[n]]++;
    }
    return this;
  }

  /** Adds the counts of another of as many classes: other voxels of the case, or another case. */
  merge(other: Confusion): this {
    if (other.classes !== this.classes) {
      const found = `${other.classes}`;
      throw new ImagingError({ field: 'classes', expected: `${this.classes}`, found });
    }
    other.counts.forEach((count, n) => {
      this.counts[n] += count;
    });
    return this;
  }

  /** All voxels. */
  get voxels(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** Voxels that are truly of a class. */
  trueVoxels(label: number): number {
    let sum = 0;
    for (let p = 0; p < this.classes; p++) sum += this.counts[label * this.classes + p];
    return sum;
  }

  /** Voxels that are predicted as a class. */
  predictedVoxels(label: number): number {
    let sum = 0;
    for (let t = 0; t < this.classes; t++) sum += this.counts[t * this.classes + label];
    return sum;
  }

  /**
   * Dice = 2 * both / (true + predicted), 0 to 1. Null where the class is neither true nor predicted
   * anywhere: such a case has nothing to find, and means leave it out. Where it is predicted but not true,
   * Dice is 0.
   */
  dice(label: number): number | null {
    const sum = this.trueVoxels(label) + this.predictedVoxels(label);
    return sum === 0 ? null : (2 * this.counts[label * this.classes + label]) / sum;
  }

  /** The share of voxels whose class is right; null without voxels. */
  get accuracy(): number | null {
    const { voxels } = this;
    let right = 0;
    for (let c = 0; c < this.classes; c++) right += this.counts[c * this.classes + c];
    return voxels === 0 ? null : right / voxels;
  }
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
}

/** The evaluation of a set of cases. */
export interface Evaluation {
  readonly cases: readonly {
    readonly id: string;
    readonly accuracy: number | null;
    /** By class name; null where the class is absent from truth and prediction. */
    readonly dice: Readonly<Record<string, number | null>>;
  }[];
  readonly classes: readonly ClassScores[];
  readonly accuracy: number | null;
}

/** Sums up cases; `names` are those of classes 0, 1, 2... */
export function evaluation(
  cases: readonly { readonly id: string; readonly confusion: Confusion }[],
  names: readonly string[],
): Evaluation {
  const total = new Confusion(names.length);
  for (const { confusion } of cases) total.merge(confusion);
  const classes = names.map((name, label) => {
    const scores = cases.map(({ confusion }) => confusion.dice(label)).filter((score) => score !== null);
    const { voxels } = total;
    return {
      name,
      meanDice: scores.length === 0 ? null : scores.reduce((sum, score) => sum + score, 0) / scores.length,
      casesScored: scores.length,
      globalDice: total.dice(label),
      trueShare: voxels === 0 ? 0 : total.trueVoxels(label) / voxels,
      predictedShare: voxels === 0 ? 0 : total.predictedVoxels(label) / voxels,
    };
  });
  return {
    cases: cases.map(({ id, confusion }) => ({
      id,
      accuracy: confusion.accuracy,
      dice: Object.fromEntries(names.map((name, label) => [name, confusion.dice(label)])),
    })),
    classes,
    accuracy: total.accuracy,
  };
}
