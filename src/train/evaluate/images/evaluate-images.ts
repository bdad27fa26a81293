import { fail } from '../../../core/index.ts';
import { makeFolder } from '../../../files/index.ts';
import {
  type Auc,
  accuracyOf,
  type Case,
  classAucs,
  confusionTable,
  imageClassOf,
  imageFiles,
  likeliest,
  meanAuc,
  type ScoredImage,
} from '../../../imaging/index.ts';
import { alone } from '../../../machine/index.ts';
import { fromFirst, together } from '../../../run/index.ts';
import { checkChannelOrder } from '../../config/normalization.ts';
import { Classifier, type ClassifySettings } from '../../predict/images/classifier.ts';
import type { RunOptions } from '../../predict/open-run.ts';
import { openSameDataset } from '../../record/same-files.ts';
import { imageCase } from '../../samples/cases.ts';
import { CASE_KINDS, type CaseKind, caseKinds } from '../case-kinds.ts';
import { casesToJudge, type EvaluateOptions } from '../evaluate.ts';
import { checkEvaluation } from '../evaluation-summary.ts';
import type { ImageClassScores, ImageEvaluation, ImageKindScores } from './image-report.ts';
import { writeImageSummary } from './image-summary.ts';

export interface EvaluateImagesOptions
  extends RunOptions,
    Pick<ClassifySettings, 'flips' | 'onNote'>,
    Pick<EvaluateOptions, 'data' | 'images' | 'resampleTilt' | 'cases' | 'out' | 'overwrite' | 'onCase'> {
  /** A table with the classes of the images; that of the run where `data` is that of the run. */
  readonly imageLabels?: string;
}

/**
 * Classifies images of a data set, those held out in training by default, and compares with the classes that it says. Of several processes
 * all call it and have the report; the first one writes.
 */
export async function evaluateImages(options: EvaluateImagesOptions): Promise<ImageEvaluation> {
  const run = await Classifier.open(options);
  try {
    const { classes, config } = run;
    const { processes, flips, out, onNote } = options;
    const first = (processes?.index ?? 0) === 0;
    const data = options.data ?? config.data;
    const own = options.data === undefined ? config : undefined;
    const dataset = await openSameDataset(processes ?? alone(1), data, {
      images: options.images ?? own?.images,
      imageLabels: options.imageLabels ?? own?.imageLabels,
      resampleTilt: options.resampleTilt ?? own?.resampleTilt,
    });
    checkChannelOrder(config, dataset);
    if (dataset.imageClasses === undefined)
      fail({
        where: data,
        problem: 'the data set does not say which class each image belongs to',
        hint: 'Give "class" beside each "image" in its dataset.json, or a table with --image-labels',
      });
    const kinds = new Map(
      await fromFirst(
        processes,
        await together(processes, 'kinds of cases', async () =>
          first ? [...(await caseKinds(run.folder, config, dataset))] : [],
        ),
      ),
    );
    const cases = casesToJudge(data, dataset.cases, kinds, options.cases).map((entry) =>
      imageCase(entry, classes),
    );
    await together(processes, 'the files to write', async () => {
      if (!first || out === undefined) return;
      const reads = [...run.reads, ...cases.flatMap(imageFiles)];
      checkEvaluation(out, { data, drawn: [], reads, overwrite: options.overwrite });
      makeFolder(out);
    });
    const judged: (ScoredImage & { readonly entry: Case })[] = [];
    for (const [n, entry] of cases.entries()) {
      const probabilities = await run.classify(entry, { flips, onNote });
      judged.push({ entry, label: imageClassOf(entry, classes), probabilities });
      options.onCase?.(entry.id, n + 1, cases.length);
    }
    const [shown, ...apart] = CASE_KINDS.flatMap((kind) => {
      const some = judged.filter(({ entry }) => kinds.get(entry.id) === kind);
      return some.length === 0 ? [] : [scoresOf(kind, some, classes)];
    });
    const report: ImageEvaluation = {
      ...{ task: 'classify', run: run.folder.dir, data, checkpoint: run.checkpoint, step: run.step! },
      ...(flips && { flips }),
      ...shown,
      ...(apart.length > 0 && { apart }),
    };
    if (first && out !== undefined) await writeImageSummary(out, report);
    return report;
  } finally {
    run.free();
  }
}

/** Scores of images of one kind, by their classes and the probabilities of each. */
export function scoresOf(
  kind: CaseKind,
  judged: readonly (ScoredImage & { readonly entry: Pick<Case, 'id'> })[],
  classes: readonly string[],
): ImageKindScores {
  const aucs = classAucs(judged, classes.length);
  const confusion = confusionTable(judged, classes.length);
  return {
    kind,
    auc: meanAuc(aucs),
    interval: classes.length === 2 ? (aucs[1]?.interval ?? null) : null,
    accuracy: accuracyOf(judged)!,
    classes: classes.map((name, cls) => classScores(name, cls, aucs[cls], confusion)),
    confusion,
    images: judged.map((image) => ({
      ...{ id: image.entry.id, kind, label: classes[image.label], predicted: classes[likeliest(image)] },
      probabilities: Object.fromEntries(classes.map((name, cls) => [name, image.probabilities[cls]])),
    })),
  };
}

function classScores(
  name: string,
  cls: number,
  auc: Auc | null,
  confusion: readonly (readonly number[])[],
): ImageClassScores {
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  const share = (part: number, all: number): number | null => (all === 0 ? null : part / all);
  const all = sum(confusion.flat());
  const [own, found, both] = [
    sum(confusion[cls]),
    sum(confusion.map((row) => row[cls])),
    confusion[cls][cls],
  ];
  return {
    ...{ name, images: own, auc: auc?.auc ?? null, interval: auc?.interval ?? null },
    sensitivity: share(both, own),
    specificity: share(all - own - (found - both), all - own),
    precision: share(both, found),
  };
}
