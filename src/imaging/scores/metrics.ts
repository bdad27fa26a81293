import { ImagingError } from '../volume/errors.ts';
import { IGNORED } from '../volume/label-codes.ts';

/**
 * Counts of voxels by true and predicted class. Whole numbers throughout, exact up to 2^53 voxels. What is judged are the classes, or
 * regions, sets of them that may overlap: `sets[n]` are the classes of region n, the background first.
 */
export class Confusion {
  readonly classes: number;
  /** [true class, predicted class] */
  readonly counts: Float64Array;
  private readonly sets: readonly (readonly number[])[] | undefined;

  constructor(classes: number, sets?: readonly (readonly number[])[]) {
    this.classes = classes;
    this.sets = sets;
    this.counts = new Float64Array(classes * classes);
  }

  /**
   * Adds two label maps of the same length, in the same voxel order.
   * Voxels whose truth is {@link IGNORED} count nowhere. Throws ImagingError if the lengths differ or a label is no class.
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
      if (truth[n] === IGNORED && classes <= IGNORED) continue;
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

  /** One of the same classes or regions without counts. */
  empty(): Confusion {
    return new Confusion(this.classes, this.sets);
  }

  /** All voxels. */
  get voxels(): number {
    return this.counts.reduce((sum, count) => sum + count, 0);
  }

  /** Voxels that are truly of a class, or region. */
  trueVoxels(label: number): number {
    let sum = 0;
    for (const t of this.classesOf(label))
      for (let p = 0; p < this.classes; p++) sum += this.counts[t * this.classes + p];
    return sum;
  }

  /** Voxels that are predicted as a class, or region. */
  predictedVoxels(label: number): number {
    let sum = 0;
    for (const p of this.classesOf(label))
      for (let t = 0; t < this.classes; t++) sum += this.counts[t * this.classes + p];
    return sum;
  }

  private sharedVoxels(label: number): number {
    let sum = 0;
    for (const t of this.classesOf(label))
      for (const p of this.classesOf(label)) sum += this.counts[t * this.classes + p];
    return sum;
  }

  private classesOf(label: number): readonly number[] {
    return this.sets?.[label] ?? [label];
  }

  /**
   * Dice = 2 * both / (true + predicted), 0 to 1. Null where the class is neither true nor predicted
   * anywhere: such a case has nothing to find, and means leave it out. Where it is predicted but not true,
   * Dice is 0.
   */
  dice(label: number): number | null {
    return this.scores(label).dice;
  }

  /** Counts of a class and what follows from them. */
  scores(label: number): CountScores {
    const both = this.sharedVoxels(label);
    const [truth, predicted, { voxels }] = [this.trueVoxels(label), this.predictedVoxels(label), this];
    const either = truth + predicted - both;
    return {
      trueVoxels: truth,
      predictedVoxels: predicted,
      sharedVoxels: both,
      dice: share(2 * both, truth + predicted),
      jaccard: share(both, either),
      precision: share(both, predicted),
      recall: share(both, truth),
      specificity: share(voxels - either, voxels - truth),
      volumeDifference: share(100 * (predicted - truth), truth),
    };
  }

  /** The share of voxels whose class is right; null without voxels. */
  get accuracy(): number | null {
    let right = 0;
    for (let c = 0; c < this.classes; c++) right += this.counts[c * this.classes + c];
    return share(right, this.voxels);
  }
}

/** Null where there is nothing to take a share of. */
const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** Voxels of a class, whole numbers, and what follows from them. A score whose denominator is 0 is null. */
export interface CountScores {
  readonly trueVoxels: number;
  readonly predictedVoxels: number;
  /** Both true and predicted. */
  readonly sharedVoxels: number;
  /** 2 * shared / (true + predicted). */
  readonly dice: number | null;
  /** shared / (true + predicted - shared): intersection over union. */
  readonly jaccard: number | null;
  /** shared / predicted: positive predictive value. */
  readonly precision: number | null;
  /** shared / true: sensitivity. */
  readonly recall: number | null;
  /** Voxels in neither / voxels not in the truth. */
  readonly specificity: number | null;
  /** 100 * (predicted - true) / true, in percent: above 0 where too much was predicted. */
  readonly volumeDifference: number | null;
}
