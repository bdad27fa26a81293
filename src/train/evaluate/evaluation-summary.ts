import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Column, fail, markdownTable, markdownText } from '../../core/index.ts';
import { checkOutputs, inside, isSamePath, writeAtomically } from '../../files/index.ts';
import type { CaseScores, Evaluation, Summary } from '../../imaging/index.ts';
import { type CaseKind, casesOfKind, kindNote } from './case-kinds.ts';
import { fixed, lesionLine, oneSided, type ShownReport, shownScores } from './evaluation-table.ts';
import type { ReportSettings, ScoredReport } from './metric-options.ts';

/** The picture of a case in the folder of an evaluation. */
export function overlayFile(out: string, id: string): string {
  return inside(path.join(out, 'overlays'), `${id}.png`);
}

/** What an evaluation in a folder writes, and what it reads. */
export interface EvaluationFiles {
  /** Folder of the data set, or of label maps. */
  readonly data: string;
  /** Ids of the cases that are drawn. */
  readonly drawn: readonly string[];
  /** Files beside `dataset.json`. */
  readonly reads: readonly string[];
  readonly overwrite?: boolean;
}

/**
 * Refuses outputs of an evaluation that are read or there, the summaries and pictures, and a folder of the data set, which holds its
 * files alone.
 */
export function checkEvaluation(out: string, { data, drawn, reads, overwrite }: EvaluationFiles): void {
  const json = path.join(data, 'dataset.json');
  const names = ['summary.json', 'summary.md'].map((name) => path.join(out, name));
  const writes = [...names, ...drawn.map((id) => overlayFile(out, id))];
  checkOutputs({ reads: [json, ...reads], writes, overwrite });
  for (const name of ['imagesTr', 'labelsTr', 'imagesTs'])
    if (existsSync(json) && isSamePath(path.join(data, name), out))
      fail({
        where: out,
        problem: 'the results would lie among the files of the data set',
        hint: 'Name another folder with --out',
      });
}

/** Writes `summary.json`, the whole report, and `summary.md`, its tables. Each appears whole. */
export async function writeSummary(out: string, report: ShownReport & ScoredReport): Promise<void> {
  const write = (name: string, text: string): Promise<void> =>
    writeAtomically(path.join(out, name), (handle) => handle.writeFile(text));
  await write('summary.json', `${JSON.stringify(report, null, 2)}\n`);
  await write('summary.md', summaryMarkdown(report));
}

/** What was compared: the run and its checkpoint, or a folder. */
interface Subject {
  readonly run?: string;
  readonly checkpoint?: string;
  readonly step?: number;
  readonly predictions?: string;
}

/** The report as Markdown. */
export function summaryMarkdown(report: ShownReport & ScoredReport & Subject): string {
  const { original, kind, apart = [], settings, data, metricsVersion } = report;
  const [text, ...parts] = [
    `# Evaluation of ${markdownText(report.run ?? report.predictions ?? '')}`,
    report.run === undefined
      ? `Label maps compared with those of ${markdownText(data)}.`
      : `The ${report.checkpoint} checkpoint, ${report.step} steps, on ${markdownText(data)}.`,
    ...[{ kind, original }, ...apart].flatMap((one) => sectionsOf(one.original, one.kind, settings)),
    `Definitions ${metricsVersion} (docs/metrics.md of halomesh). ${markdownText(surfaceNote(settings))} \`-\` where a score is not defined; means leave such cases out.`,
  ];
  return `${[text, ...parts.filter((part) => part !== '')].join('\n\n')}\n`;
}

/** What is told of cases of one kind. */
function sectionsOf(original: Evaluation, kind: CaseKind | undefined, settings: ReportSettings): string[] {
  const shown = original.classes.slice(1);
  const numbers = (titles: readonly string[]): Column[] => titles.map((title) => ({ title, right: true }));
  const besides = shownScores(settings);
  const titles = ['Dice', ...besides.map(({ title }) => title)];
  const cells = (scores: CaseScores): string[] => [
    fixed(scores.dice, 4),
    ...besides.map(({ score, digits }) => fixed(scores[score], digits)),
  ];
  const range = (summary: Summary | undefined, digits: number): string =>
    summary === undefined || summary.cases === 0
      ? '-'
      : `${fixed(summary.mean, digits)} ± ${fixed(summary.deviation, digits)}`;
  const perCase = original.cases.flatMap(({ id, classes }) =>
    shown.map(({ name }) => [id, ...(kind === undefined ? [] : [kind]), name, ...cells(classes[name])]),
  );
  const means = shown.map(({ name, scores }) => [
    name,
    `${scores.dice?.cases ?? 0}`,
    range(scores.dice, 4),
    ...besides.map(({ score, digits }) => range(scores[score], digits)),
  ]);
  const sums = shown.map(({ name, global, trueShare, predictedShare }) => [
    name,
    fixed(global.dice, 4),
    fixed(global.jaccard, 4),
    fixed(global.precision, 4),
    fixed(global.recall, 4),
    fixed(global.volumeDifference, 2),
    (100 * trueShare).toFixed(3),
    (100 * predictedShare).toFixed(3),
  ]);
  const lesions = original.cases.flatMap(({ id, lesions: one }) =>
    one === undefined
      ? []
      : [[id, ...[one.trueLesions, one.found, one.predictedLesions, one.falsePositives].map(String)]],
  );
  // Headings of several kinds in one file must differ.
  const of = kind === undefined ? '' : ` (${kind})`;
  const count = original.cases.length;
  const counted =
    kind === undefined ? `${count} ${count === 1 ? 'case' : 'cases'}` : casesOfKind(kind, count);
  const note = kind === undefined ? '' : kindNote(kind);
  return [
    `${counted}; accuracy over all voxels ${fixed(original.accuracy, 4)}.${note === '' ? '' : ` ${note}`}`,
    `## Mean over cases${of}, ± standard deviation`,
    markdownTable([{ title: 'class' }, ...numbers(['cases', ...titles])], means),
    [...oneSided(shown), ...lesionLine(original.lesions)].map((line) => `- ${markdownText(line)}`).join('\n'),
    `## Over the voxels of all cases${of}`,
    markdownTable([{ title: 'class' }, ...numbers(SUMS)], sums),
    `## Cases${of}`,
    markdownTable(
      [
        { title: 'case' },
        ...(kind === undefined ? [] : [{ title: 'kind' }]),
        { title: 'class' },
        ...numbers(titles),
      ],
      perCase,
    ),
    lesions.length === 0 ? '' : `## Lesions${of}: ${markdownText(settings.lesion ?? '')}`,
    lesions.length === 0
      ? ''
      : markdownTable([{ title: 'case' }, ...numbers(['true', 'found', 'predicted', 'false'])], lesions),
  ];
}

/** Scores of the sums over all cases. */
const SUMS = ['Dice', 'Jaccard', 'precision', 'recall', 'volume difference %', 'share %, true', 'predicted'];

function surfaceNote({ surfaces, tolerance }: ScoredReport['settings']): string {
  if (surfaces === false) return 'Without surfaces.';
  const each = Object.entries(tolerance).map(([name, mm]) => `${mm} mm for ${name}`);
  return `Surface Dice at ${each.join(', ')}.`;
}
