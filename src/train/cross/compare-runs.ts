import { fail, markdownTable, markdownText } from '../../core/index.ts';
import { type PairedTest, wilcoxon } from '../../imaging/index.ts';
import { readScores } from './summary-file.ts';

/** The Dice of one class in one case, in both evaluations. */
export interface ComparedCase {
  readonly id: string;
  readonly first: number;
  readonly second: number;
}

/** One class in the cases that both evaluations have with a defined Dice. */
export interface ComparedClass {
  readonly name: string;
  readonly cases: readonly ComparedCase[];
  /** Means over these cases; null without any. */
  readonly first: number | null;
  readonly second: number | null;
  /** Of second - first. */
  readonly test: PairedTest;
}

export interface RunComparison {
  readonly first: string;
  readonly second: string;
  readonly classes: readonly ComparedClass[];
  /** Cases that one of them lacks. */
  readonly apart: readonly string[];
}

/** Compares two evaluations case by case, by their folders, those of their runs, or files. Refuses two without a case in common. */
export function compareRuns(first: string, second: string): RunComparison {
  const [a, b] = [readScores(first), readScores(second)];
  const other = new Map(b.cases.map(({ id, dice }) => [id, dice]));
  const shared = a.cases.filter(({ id }) => other.has(id));
  const names = a.classes.filter((name) => b.classes.includes(name));
  const lacking = (what: string, ofA: readonly string[], ofB: readonly string[]): never =>
    fail({
      where: b.file,
      problem: `has no ${what} of ${a.file}`,
      expected: `some of ${ofA.slice(0, 5).join(', ')}`,
      found: ofB.slice(0, 5).join(', ') || 'none',
    });
  const ids = ({ cases }: typeof a): string[] => cases.map(({ id }) => id);
  if (shared.length === 0) lacking('case', ids(a), ids(b));
  if (names.length === 0) lacking('class', a.classes, b.classes);
  const classes = names.map((name): ComparedClass => {
    const cases = shared.flatMap(({ id, dice }) => {
      const [x, y] = [dice[name], other.get(id)?.[name]];
      return x == null || y == null ? [] : [{ id, first: x, second: y }];
    });
    const mean = (of: (one: ComparedCase) => number): number | null =>
      cases.length === 0 ? null : cases.reduce((sum, one) => sum + of(one), 0) / cases.length;
    return {
      ...{ name, cases },
      first: mean((one) => one.first),
      second: mean((one) => one.second),
      test: wilcoxon(cases.map((one) => one.second - one.first)),
    };
  });
  const both = new Set(shared.map(({ id }) => id));
  const apart = [...ids(a), ...ids(b)].filter((id) => !both.has(id));
  return { first: a.file, second: b.file, classes, apart };
}

const fixed = (value: number | null, digits = 4): string => (value === null ? '-' : value.toFixed(digits));

/** A comparison as Markdown: the cases of every class, then means and tests. */
export function comparisonMarkdown({ first, second, classes, apart }: RunComparison): string {
  const numbers = (...titles: string[]) => titles.map((title) => ({ title, right: true }));
  const rows = classes.flatMap(({ name, cases }) =>
    cases.map((one) => [one.id, name, fixed(one.first), fixed(one.second), fixed(one.second - one.first)]),
  );
  const means = classes.map(({ name, cases, first: x, second: y, test }) => [
    name,
    `${cases.length}`,
    fixed(x),
    fixed(y),
    x === null || y === null ? '-' : fixed(y - x),
    `${test.pairs}`,
    `${fixed(test.p)}${test.exact ? '' : ' (normal)'}`,
  ]);
  return [
    `A: ${markdownText(first)}\nB: ${markdownText(second)}`,
    markdownTable([{ title: 'case' }, { title: 'class' }, ...numbers('Dice A', 'Dice B', 'B - A')], rows),
    markdownTable(
      [{ title: 'class' }, ...numbers('cases', 'mean A', 'mean B', 'B - A', 'that differ', 'p')],
      means,
    ),
    `p: two-sided signed-rank test (Wilcoxon 1945) over the cases; not corrected for the number of classes.${
      apart.length === 0 ? '' : ` Only in one of them: ${markdownText(apart.join(', '))}.`
    }`,
  ].join('\n\n');
}
