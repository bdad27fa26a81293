import path from 'node:path';
import { fail, markdownTable, markdownText } from '../../core/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { scoresOf } from '../evaluate/images/evaluate-images.ts';
import type { ImageKindScores } from '../evaluate/images/image-report.ts';
import { formatImageScores } from '../evaluate/images/image-summary.ts';
import { readImages } from './image-summary-file.ts';

/** Every image by the run that did not see it. */
export interface ImageCrossValidation extends ImageKindScores {
  readonly task: 'classify';
  readonly data: string;
  readonly folds: readonly {
    readonly run: string;
    readonly images: number;
    /** Null where a fold has images of one class alone. */
    readonly auc: number | null;
    readonly accuracy: number;
  }[];
  /** Mean and standard deviation (over n) of the folds' AUC; null without any. */
  readonly meanOfFolds: { readonly auc: number; readonly deviation: number } | null;
}

/** Scores of all images of all folds, whose evaluations lie in their runs. */
export function imagesOfFolds({ data, out }: TrainConfig, folds: number): ImageCrossValidation {
  const read = Array.from({ length: folds }, (_, k) => readImages(path.join(out, `fold_${k}`)));
  const [{ classes }] = read;
  for (const one of read)
    if (one.classes.join('\n') !== classes.join('\n'))
      fail({
        where: one.file,
        problem: 'has other classes than the first fold',
        expected: classes.join(', '),
        found: one.classes.join(', '),
      });
  const judged = read.map(({ images }) =>
    images.map(({ id, label, probabilities }) => ({
      entry: { id },
      label: classes.indexOf(label),
      probabilities: classes.map((name) => probabilities[name]),
    })),
  );
  const each = judged.map((images, k) => {
    const { auc, accuracy } = scoresOf('held out', images, classes);
    return { run: path.join(out, `fold_${k}`), images: images.length, auc, accuracy };
  });
  const known = each.flatMap(({ auc }) => (auc === null ? [] : [auc]));
  const mean = known.reduce((sum, auc) => sum + auc, 0) / known.length;
  const variance = known.reduce((sum, auc) => sum + (auc - mean) ** 2, 0) / known.length;
  return {
    ...{ task: 'classify', data, folds: each },
    meanOfFolds: known.length === 0 ? null : { auc: mean, deviation: Math.sqrt(variance) },
    ...scoresOf('held out', judged.flat(), classes),
  };
}

/** Such a cross-validation as Markdown. */
export function imageCrossMarkdown(found: ImageCrossValidation): string {
  const { data, folds, meanOfFolds } = found;
  const fixed = (value: number | null): string => (value === null ? '-' : value.toFixed(4));
  const number = (title: string) => ({ title, right: true });
  return [
    `# Cross-validation on ${markdownText(data)}`,
    `${found.images.length} images in ${folds.length} folds, each judged by the network that did not see it; \`-\` where a score is not defined.`,
    markdownTable(
      ['fold', 'images', 'AUC', 'accuracy'].map(number),
      folds.map(({ images, auc, accuracy }, k) => [`${k}`, `${images}`, fixed(auc), fixed(accuracy)]),
    ),
    ...(meanOfFolds
      ? [`Mean AUC of the folds ${fixed(meanOfFolds.auc)} ± ${fixed(meanOfFolds.deviation)}.`]
      : []),
    '## All images together',
    formatImageScores(found),
  ].join('\n\n');
}
