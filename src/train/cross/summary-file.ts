import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { fail, shownValue } from '../../core/index.ts';
import { readJson } from '../config/config-error.ts';

/** What is read of an evaluation: the Dice of each class above 0 in each case; null where it is not defined. */
export interface ScoredCases {
  /** The file. */
  readonly file: string;
  readonly data: string;
  readonly classes: readonly string[];
  readonly cases: readonly { readonly id: string; readonly dice: Readonly<Record<string, number | null>> }[];
}

/** The summary of a run, an evaluation or a cross-validation, by its folder or file. */
export function readScores(place: string): ScoredCases {
  const file = summaryOf(place);
  const content = readJson(file);
  if (isRecord(content) && content.task === 'classify')
    fail({
      where: file,
      problem: 'tells the classes of images as wholes, the other one those of voxels',
      hint: 'Compare two of a kind',
    });
  const refuse = (found: unknown): never =>
    fail({
      where: file,
      problem: 'is no summary of an evaluation',
      expected: 'cases with the Dice of each class',
      found: shownValue(found),
    });
  if (!isRecord(content) || !isRecord(content.original) || !Array.isArray(content.original.cases))
    return refuse(content);
  const cases = content.original.cases.map((entry: unknown) => {
    if (!isRecord(entry) || typeof entry.id !== 'string' || !isRecord(entry.dice)) return refuse(entry);
    const dice = Object.entries(entry.dice).map(([name, score]) =>
      score === null || typeof score === 'number' ? ([name, score] as const) : refuse(entry),
    );
    return { id: entry.id, dice: Object.fromEntries(dice) as Record<string, number | null> };
  });
  const names = new Set(cases.flatMap(({ dice }) => Object.keys(dice)));
  const data = typeof content.data === 'string' ? content.data : '';
  return { file, data, classes: [...names].filter((name) => name !== background(content)), cases };
}

/** The first of the classes that an evaluation lists, where it lists them. */
function background({ original }: Readonly<Record<string, unknown>>): string | undefined {
  const listed = isRecord(original) && Array.isArray(original.classes) ? original.classes : [];
  const [first]: readonly unknown[] = listed;
  return isRecord(first) && typeof first.name === 'string' ? first.name : undefined;
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** The summary that a folder of a run, an evaluation or a cross-validation holds, or the file itself. */
export function summaryOf(place: string): string {
  if (existsSync(place) && !statSync(place).isDirectory()) return place;
  const files = [path.join(place, 'summary.json'), path.join(place, 'evaluation', 'summary.json')];
  return (
    files.find((file) => existsSync(file)) ??
    fail({
      where: place,
      problem: 'has no evaluation',
      expected: files.join(' or '),
      found: existsSync(place) ? 'neither of them' : 'nothing at this path',
      hint: 'Run halomesh evaluate, or halomesh cross-validate, first',
    })
  );
}
