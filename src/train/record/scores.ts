import { accuracyOf, classAucs, meanAuc, type ScoredImage } from '../../imaging/index.ts';
import type { HostArray } from '../../machine/index.ts';
import type { DiceByClass } from './hard-dice.ts';
import type { ImageMeasures } from './log.ts';

export { hardDice } from './hard-dice.ts';

/** Images by the numbers of their classes and the probabilities [batch, class] that a program gives. */
export function scoredImages(labels: readonly number[], probabilities: HostArray): ScoredImage[] {
  const classes = probabilities.length / labels.length;
  return labels.map((label, n) => ({
    label,
    probabilities: Array.from(probabilities.slice(n * classes, (n + 1) * classes), Number),
  }));
}

/** How well the classes of images as wholes are told. */
export function imageMeasures(
  images: readonly ScoredImage[],
  classes: readonly string[],
): Required<ImageMeasures> {
  const aucs = classAucs(images, classes.length);
  return {
    accuracy: accuracyOf(images),
    auc: meanAuc(aucs),
    aucByClass: Object.fromEntries(classes.map((name, cls) => [name, aucs[cls]?.auc ?? null])),
  };
}

/** Classes above 0 that no voxel truly has; `truth`: counts [sample, class]. */
export function absentClasses(truth: HostArray, classes: readonly string[]): string[] {
  const total = classes.map((_, cls) => {
    let sum = 0;
    for (let i = cls; i < truth.length; i += classes.length) sum += truth[i];
    return sum;
  });
  return classes.filter((_, cls) => cls > 0 && total[cls] === 0);
}

/** Mean over the classes that have a Dice; null where none has. */
export function meanDice(dice: DiceByClass): number | null {
  const scores = Object.values(dice).filter((score) => score !== null);
  return scores.length === 0 ? null : scores.reduce((a, b) => a + b, 0) / scores.length;
}
