import { fail, RandomStream, shownValue } from '../../core/index.ts';
import { readTextSync, systemErrorReason } from '../../files/index.ts';
import type { Case, Dataset } from '../../imaging/index.ts';
import type { TrainConfig } from './config.ts';
import { readJson } from './config-error.ts';
import { knownIds } from './known-names.ts';

// Which cases a run trains on and which it only looks at.

/** Ids of cases, those of validation and those of training; all others are trained on where the latter are absent. */
export interface Split {
  readonly validation: readonly string[];
  readonly training?: readonly string[];
}

/** Marks the random numbers of this file. */
const HELD_OUT = 2;
const FOLDS = 3;

/** Divides the cases of a data set by "validation" and "fold" of a config. Throws HalomeshError where they do not fit. */
export function splitOf(
  { cases }: Dataset,
  { validation, fold, seed }: Pick<TrainConfig, 'validation' | 'fold' | 'seed'>,
): Split {
  if (typeof validation === 'string') return checked(splitOfFile(validation, fold), cases, validation);
  if (fold !== undefined) return { validation: foldOf(cases, fold, seed) };
  if (typeof validation === 'number') return { validation: drawIds(cases, validation, seed) };
  // The command line cuts ids at their commas.
  return { validation: knownIds(validation ?? [], cases, { where: 'config "validation"', cut: true }) };
}

function drawIds(cases: readonly Case[], share: number, seed: number): string[] {
  const count = Math.max(1, Math.round(cases.length * share));
  return permutation(cases.length, seed, HELD_OUT)
    .slice(0, count)
    .map((i) => cases[i].id);
}

/** Part K of N that are as even as can be, every case in exactly one of them; of `all`, case K. */
function foldOf(cases: readonly Case[], fold: string, seed: number): string[] {
  const [index, parts] = fold.split('/');
  const count = parts === 'all' ? cases.length : Number(parts);
  if (count > cases.length || Number(index) >= count)
    fail({
      where: 'config "fold"',
      problem: `the data set has ${cases.length} ${cases.length === 1 ? 'case' : 'cases'}`,
      expected: `K below N, and N at most ${cases.length}`,
      found: fold,
    });
  if (parts === 'all') return [cases[Number(index)].id];
  return permutation(cases.length, seed, FOLDS)
    .filter((_, place) => place % count === Number(index))
    .map((i) => cases[i].id);
}

/**
 * A text file has an id on each line; empty lines and what follows a # do not count. A JSON file is a list of ids, an object
 * {"validation": [ids], "training": [ids]} ("val" and "train" do, too; training may be absent), or a list of such objects as
 * nnU-Net's splits_final.json is, of which `fold` is one.
 */
function splitOfFile(file: string, fold: string | undefined): Split {
  if (/\.txt$/i.test(file)) return { validation: idsOfText(file) };
  const content = readJson(file);
  if (!Array.isArray(content)) return splitOfObject(content, file);
  if (content.every((id) => typeof id === 'string')) return { validation: content };
  if (fold === undefined)
    return fail({
      where: file,
      problem: `holds ${content.length} splits`,
      hint: 'Say which one with "fold" (--fold 0)',
    });
  if (!(Number(fold) < content.length))
    fail({
      where: 'config "fold"',
      problem: `split of ${file}`,
      expected: `0 to ${content.length - 1}`,
      found: fold,
    });
  return splitOfObject(content[Number(fold)], `${file} split ${fold}`);
}

function splitOfObject(content: unknown, where: string): Split {
  const given = (typeof content === 'object' && content !== null ? content : {}) as Record<string, unknown>;
  const list = (...keys: readonly string[]): readonly string[] | undefined => {
    const key = keys.find((name) => given[name] !== undefined);
    const ids = key === undefined ? undefined : given[key];
    if (ids === undefined || (Array.isArray(ids) && ids.every((id) => typeof id === 'string'))) return ids;
    return fail({ where, problem: `"${key}"`, expected: 'a list of case ids', found: shownValue(ids) });
  };
  const validation = list('validation', 'val');
  if (validation === undefined)
    return fail({
      where,
      problem: 'names no cases',
      expected: 'a list of ids, or {"validation": [ids]}',
      found: shownValue(content),
    });
  return { validation, training: list('training', 'train') };
}

function idsOfText(file: string): string[] {
  let text: string;
  try {
    text = readTextSync(file);
  } catch (error) {
    return fail({ where: file, problem: `cannot be read: ${systemErrorReason(error)}` }, { cause: error });
  }
  return text
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

/** The split by the ids of the data set. Refuses others, and cases that are in both parts. */
function checked({ validation, training }: Split, cases: readonly Case[], where: string): Split {
  const split = {
    validation: knownIds(validation, cases, { where }),
    training: training && knownIds(training, cases, { where }),
  };
  const both = split.validation.find((id) => split.training?.includes(id));
  if (both !== undefined) fail({ where, problem: `case ${shownValue(both)} is in both parts of the split` });
  return split;
}

/** 0 to count - 1 in an order drawn from the keys (Fisher and Yates). */
export function permutation(count: number, ...keys: readonly number[]): number[] {
  const random = new RandomStream(...keys);
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const k = Math.floor(random.uniform() * (i + 1));
    [order[i], order[k]] = [order[k], order[i]];
  }
  return order;
}
