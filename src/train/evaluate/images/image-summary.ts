import path from 'node:path';
import { type Column, markdownTable, markdownText } from '../../../core/index.ts';
import { writeTextAtomically } from '../../../files/index.ts';
import { casesOfKind, kindNote } from '../case-kinds.ts';
import type { ImageEvaluation, ImageKindScores } from './image-report.ts';

/** Writes `summary.json`, the whole report, and `summary.md`, its tables. Each appears whole. */
export async function writeImageSummary(out: string, report: ImageEvaluation): Promise<void> {
  await writeTextAtomically(path.join(out, 'summary.json'), `${JSON.stringify(report, null, 2)}\n`);
  await writeTextAtomically(path.join(out, 'summary.md'), imageSummary(report));
}

/** The report as Markdown. */
export function imageSummary(report: ImageEvaluation): string {
  const parts = [
    `# Evaluation of ${markdownText(report.run)}`,
    `The ${report.checkpoint} checkpoint, ${report.step} steps, on ${markdownText(report.data)}.`,
    ...kindsOf(report).flatMap((one) => [...sections(one), ...imageTable(one)]),
    'Definitions: docs/metrics.md of halomesh. `-` where a score is not defined.',
  ];
  return `${parts.join('\n\n')}\n`;
}

/** The report for a terminal, without its images. */
export const formatImageEvaluation = (report: ImageEvaluation): string =>
  kindsOf(report).flatMap(sections).join('\n\n');

/** Scores of images of one kind, for a terminal or a summary. */
export const formatImageScores = (scores: ImageKindScores): string => sections(scores).join('\n\n');

const kindsOf = (report: ImageEvaluation): readonly ImageKindScores[] => [report, ...(report.apart ?? [])];

function sections({ kind, auc, interval, accuracy, classes, confusion, images }: ImageKindScores): string[] {
  const note = kindNote(kind);
  const of = classes.length === 2 ? '' : ', mean of each class against the others';
  const numbers = (titles: readonly string[]): Column[] => titles.map((title) => ({ title, right: true }));
  const names = classes.map(({ name }) => name);
  return [
    `${casesOfKind(kind, images.length)}: AUC ${number(auc)}${range(interval)}${of}; accuracy ${number(accuracy)}.${note && ` ${note}`}`,
    markdownTable(
      [{ title: 'class' }, ...numbers(['images', 'AUC', '95 %', 'sensitivity', 'specificity', 'precision'])],
      classes.map((one) => [
        one.name,
        `${one.images}`,
        number(one.auc),
        one.interval === null ? '-' : one.interval.map(number).join(' to '),
        ...[one.sensitivity, one.specificity, one.precision].map(number),
      ]),
    ),
    'Images by their class (rows) and the likeliest one (columns):',
    markdownTable(
      [{ title: 'class' }, ...numbers(names)],
      confusion.map((row, cls) => [names[cls], ...row.map(String)]),
    ),
  ];
}

function imageTable({ images, classes }: ImageKindScores): string[] {
  const names = classes.map(({ name }) => name);
  return [
    markdownTable(
      [
        { title: 'image' },
        { title: 'kind' },
        { title: 'class' },
        { title: 'likeliest' },
        ...names.map((title) => ({ title, right: true })),
      ],
      images.map(({ id, kind, label, predicted, probabilities }) => [
        ...[id, kind, label, predicted],
        ...names.map((name) => number(probabilities[name])),
      ]),
    ),
  ];
}

const range = (interval: readonly [number, number] | null): string =>
  interval === null ? '' : ` (95 %: ${interval.map(number).join(' to ')})`;

const number = (value: number | null): string => (value === null ? '-' : value.toFixed(3));
