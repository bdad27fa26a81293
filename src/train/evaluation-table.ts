import type { EvaluationReport } from './evaluate.ts';

/**
 * Dice as text, a line for each case and one over all voxels of all cases:
 *
 *   case      liver   tumour  accuracy
 *   tsex      0.9412  -       0.9953
 *   mean      0.9412  -
 *   global    0.9412  -       0.9953
 *
 * `-` where a class is neither in the truth nor in the prediction.
 */
export function formatEvaluation({ original }: EvaluationReport): string {
  const shown = original.classes.slice(1);
  const rows = [
    ['case', ...shown.map(({ name }) => name), 'accuracy'],
    ...original.cases.map(({ id, dice, accuracy }) => [
      id,
      ...shown.map(({ name }) => score(dice[name])),
      score(accuracy),
    ]),
    ['mean', ...shown.map(({ meanDice }) => score(meanDice)), ''],
    ['global', ...shown.map(({ globalDice }) => score(globalDice)), score(original.accuracy)],
  ];
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

const score = (value: number | null): string => (value === null ? '-' : value.toFixed(4));
