import type { FlipAxis } from '../../config/choices.ts';
import type { CaseKind } from '../case-kinds.ts';

/** An image that was judged. */
export interface JudgedImage {
  readonly id: string;
  readonly kind: CaseKind;
  /** Its class, and the likeliest one. */
  readonly label: string;
  readonly predicted: string;
  readonly probabilities: Readonly<Record<string, number>>;
}

/** How well a class is told from all others. */
export interface ImageClassScores {
  readonly name: string;
  readonly images: number;
  /** By the probability of the class; null where all images are of it, or none is. */
  readonly auc: number | null;
  /** Of 95 %; null with less than two images on a side. */
  readonly interval: readonly [number, number] | null;
  /** Shares by the likeliest class: of its images that are found, of others that are left, of those found that are its own. */
  readonly sensitivity: number | null;
  readonly specificity: number | null;
  readonly precision: number | null;
}

/** Scores of images of one kind. */
export interface ImageKindScores {
  /** What the run did with all of these images. */
  readonly kind: CaseKind;
  /** Of two classes that of the second one, with its interval; of more the mean of each against the others. */
  readonly auc: number | null;
  readonly interval: readonly [number, number] | null;
  readonly accuracy: number;
  readonly classes: readonly ImageClassScores[];
  /** Images by their class (rows) and the likeliest one (columns). */
  readonly confusion: readonly (readonly number[])[];
  readonly images: readonly JudgedImage[];
}

/** How well a trained network tells the classes of images as wholes. */
export interface ImageEvaluation extends ImageKindScores {
  readonly task: 'classify';
  readonly run: string;
  readonly data: string;
  readonly checkpoint: 'best' | 'latest';
  /** Steps that the network was trained for. */
  readonly step: number;
  /** Axes that were also turned around; absent where none was. */
  readonly flips?: readonly FlipAxis[];
  /** Further kinds of images, where more than one was asked for. */
  readonly apart?: readonly ImageKindScores[];
}
