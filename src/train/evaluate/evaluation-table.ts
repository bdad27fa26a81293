import type { ClassScores, Evaluation, Score } from '../../imaging/index.ts';
import { type CaseKind, casesOfKind, kindNote } from './case-kinds.ts';
import type { ReportSettings, ScoredReport } from './metric-options.ts';

/**
 * Scores as text: Dice of every case, then each class over all of them, then its lesions.
 *
 *   case      kind      liver   tumour  accuracy
 *   tsex      held out  0.9412  -       0.9953
 *   mean                0.9412  -
 *   global              0.9412  -       0.9953
 *
 *   mean over cases    liver   tumour
 *   HD95 mm            4.24    -
 *   ...
 *
 * `-` where a score is not defined. Kinds of cases come one after the other, each with its own means; label maps that no network
 * made have none.
 */
export function formatEvaluation(report: ShownReport): string {
  const { original, kind, settings, apart = [] } = report;
  return [{ kind, original }, ...apart]
    .map((one) => {
      const table = tablesOf(one.original, one.kind, settings);
      if (one.kind === undefined) return table;
      const note = kindNote(one.kind);
      const count = casesOfKind(one.kind, one.original.cases.length);
      return `Dice of ${count}${note === '' ? '' : `. ${note}`}\n${table}`;
    })
    .join('\n\n');
}

/** What is shown of a report. */
export interface ShownReport extends Pick<ScoredReport, 'original' | 'settings'> {
  /** Of all cases in `original`; absent where no network was judged. */
  readonly kind?: CaseKind;
  readonly apart?: readonly { readonly kind: CaseKind; readonly original: Evaluation }[];
}

function tablesOf(original: Evaluation, kind: CaseKind | undefined, settings: ReportSettings): string {
  const shown = original.classes.slice(1);
  const kinds = (text: string): string[] => (kind === undefined ? [] : [text]);
  const dice = [
    ['case', ...kinds('kind'), ...shown.map(({ name }) => name), 'accuracy'],
    ...original.cases.map(({ id, dice, accuracy }) => [
      id,
      ...kinds(kind ?? ''),
      ...shown.map(({ name }) => fixed(dice[name], 4)),
      fixed(accuracy, 4),
    ]),
    ['mean', ...kinds(''), ...shown.map(({ meanDice }) => fixed(meanDice, 4)), ''],
    [
      'global',
      ...kinds(''),
      ...shown.map(({ globalDice }) => fixed(globalDice, 4)),
      fixed(original.accuracy, 4),
    ],
  ];
  const means = [
    ['mean over cases', ...shown.map(({ name }) => name)],
    ...shownScores(settings).map(({ score, title, digits }) => [
      title,
      ...shown.map(({ scores }) => fixed(scores[score]?.mean ?? null, digits)),
    ]),
    ['share %, true', ...shown.map(({ trueShare }) => (100 * trueShare).toFixed(3))],
    ['share %, predicted', ...shown.map(({ predictedShare }) => (100 * predictedShare).toFixed(3))],
  ];
  const tolerances = new Set(Object.values(settings.tolerance));
  const mm =
    tolerances.size === 1
      ? `${[...tolerances][0]} mm`
      : Object.entries(settings.tolerance)
          .map(([name, one]) => `${name} ${one} mm`)
          .join(', ');
  const surface = settings.surfaces === false ? [] : [`surface Dice at ${mm}`];
  const notes = [...surface, ...oneSided(shown), ...lesionLine(original.lesions)];
  return [columns(dice), columns(means), notes.join('\n')].filter((text) => text !== '').join('\n\n');
}

interface ShownScore {
  readonly score: Score;
  readonly title: string;
  readonly digits: number;
}

const COUNTED: readonly ShownScore[] = [
  { score: 'jaccard', title: 'Jaccard', digits: 4 },
  { score: 'precision', title: 'precision', digits: 4 },
  { score: 'recall', title: 'recall', digits: 4 },
  { score: 'volumeDifference', title: 'volume difference %', digits: 2 },
];

const OF_SURFACES: readonly ShownScore[] = [
  { score: 'hausdorff95', title: 'HD95 mm', digits: 2 },
  { score: 'hausdorff', title: 'HD mm', digits: 2 },
  { score: 'meanSurfaceDistance', title: 'ASSD mm', digits: 3 },
  { score: 'surfaceDice', title: 'surface Dice', digits: 4 },
];

/** Scores beside Dice in the order in which they are shown, with their units. */
export const shownScores = ({ surfaces }: ReportSettings): readonly ShownScore[] =>
  surfaces === false ? COUNTED : [...COUNTED, ...OF_SURFACES];

/** A number with some digits behind the point; `-` where there is none. */
export const fixed = (value: number | null | undefined, digits: number): string =>
  value === null || value === undefined ? '-' : value.toFixed(digits);

/** Cases that means of distances leave out though something is wrong there. */
export function oneSided(classes: readonly ClassScores[]): string[] {
  const cases = (n: number): string => `${n} ${n === 1 ? 'case' : 'cases'}`;
  return classes
    .filter(({ casesMissed, casesInvented }) => casesMissed + casesInvented > 0)
    .map(
      ({ name, casesMissed, casesInvented }) =>
        `${name}: missed altogether in ${cases(casesMissed)}, predicted where there is none in ${cases(casesInvented)}; no distances there`,
    );
}

/** What was found of the lesions. */
export function lesionLine(lesions: ScoredReport['original']['lesions']): string[] {
  if (lesions === undefined) return [];
  const { name, trueLesions, found, recall, precision, f1, falsePositives, falsePositivesPerCase } = lesions;
  return [
    `lesions (${name}): ${found} of ${trueLesions} found (recall ${fixed(recall, 3)}), ${falsePositives} false ` +
      `(${fixed(falsePositivesPerCase, 2)} a case, precision ${fixed(precision, 3)}), F1 ${fixed(f1, 3)}`,
  ];
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
