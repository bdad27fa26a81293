import { existsSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { fail, markdownTable, markdownText, shownValue } from '../../core/index.ts';
import { makeFolder, writeTextAtomically } from '../../files/index.ts';
import { resolveConfig, type TrainConfig } from '../config/config.ts';
import { readJson } from '../config/config-error.ts';
import { classifies } from '../config/task/task.ts';
import { type EvaluateOptions, evaluate } from '../evaluate/evaluate.ts';
import { evaluateImages } from '../evaluate/images/evaluate-images.ts';
import { train } from '../loop/train.ts';
import type { TrainResult } from '../loop/train-events.ts';
import { runFolder } from '../record/run-folder.ts';
import { checkRunPlace } from '../record/run-place.ts';
import { type ImageCrossValidation, imageCrossMarkdown, imagesOfFolds } from './image-folds.ts';
import { readScores } from './summary-file.ts';

// All folds of a data set: a run each, evaluated on the cases that it holds out, and one summary of all cases.
//
//   OUT/cross-validation.json   the settings that all folds share
//   OUT/fold_K/                 the run of fold K, with its evaluation
//   OUT/summary.json, .md       every case by the run that did not see it

export interface CrossValidateOptions {
  /** How each fold is trained; `out` is the folder of all, and `fold` absent. */
  readonly config: TrainConfig;
  /** Parts that the seed draws; those of the file of splits that is the config's "validation" where it is one. */
  readonly folds?: number;
  /** Trains a fold, from its last checkpoint where it has begun; {@link train} by default. */
  readonly trainFold?: (config: TrainConfig, resume: boolean) => Promise<TrainResult>;
  /** How each run is judged. */
  readonly evaluation?: Pick<
    EvaluateOptions,
    'surfaces' | 'overlays' | 'tolerance' | 'lesion' | 'inOnePiece'
  >;
  /** Told what each fold does. */
  readonly onFold?: (fold: number, folds: number, what: 'train' | 'resume' | 'done before') => void;
}

/** Scores of a class over all cases, or over those of a fold. */
export interface FoldScores {
  readonly cases: number;
  /** Mean and standard deviation (over n) of the Dice; null without a case in which it is defined. */
  readonly mean: number | null;
  readonly deviation: number | null;
}

export interface CrossValidation {
  readonly data: string;
  readonly folds: readonly { readonly run: string; readonly dice: Readonly<Record<string, FoldScores>> }[];
  /** Over all cases, by class. */
  readonly dice: Readonly<Record<string, FoldScores>>;
  /** Every case, by the run that did not see it. */
  readonly original: {
    readonly cases: readonly {
      readonly id: string;
      readonly fold: number;
      readonly dice: Readonly<Record<string, number | null>>;
    }[];
  };
}

/** Settings that say where and not what is trained: they may change from start to start. */
const PLACES = ['device', 'threads', 'memoryLimit', 'spillDir', 'split', 'mesh', 'layout'] as const;

/**
 * Trains and judges every fold of a data set. What is finished is kept, so the same call goes on after an interruption. Throws
 * HalomeshError where the folder holds folds of other settings.
 */
export async function crossValidate(
  options: CrossValidateOptions,
): Promise<CrossValidation | ImageCrossValidation> {
  const { config, evaluation = {}, onFold } = options;
  const { trainFold = (fold, resume) => train(fold, { resume }) } = options;
  const folds = foldsOf(config, options.folds);
  await keepSettings(config, folds);
  for (let k = 0; k < folds; k++) {
    const own = foldConfig(config, k, folds);
    const judged = path.join(own.out, 'evaluation');
    if (existsSync(path.join(judged, 'summary.json'))) {
      onFold?.(k, folds, 'done before');
      continue;
    }
    const resume = existsSync(runFolder(own.out).config);
    onFold?.(k, folds, resume ? 'resume' : 'train');
    const result = await trainFold(own, resume);
    if (result.interrupted) fail({ where: own.out, problem: `was interrupted after ${result.step} steps` });
    const given = { run: own.out, out: judged, overwrite: true };
    if (classifies(config)) await evaluateImages(given);
    else await evaluate({ ...evaluation, ...given });
  }
  const found = classifies(config) ? imagesOfFolds(config, folds) : summed(config, folds);
  await writeTextAtomically(path.join(config.out, 'summary.json'), `${JSON.stringify(found, null, 2)}\n`);
  await writeTextAtomically(path.join(config.out, 'summary.md'), `${crossMarkdown(found)}\n`);
  return found;
}

/** How many folds there are. */
function foldsOf({ validation, fold }: TrainConfig, asked: number | undefined): number {
  if (fold !== undefined)
    fail({ where: 'cross-validation', problem: 'expected no fold, as all are trained', found: fold });
  if (typeof validation !== 'string') {
    if (validation !== undefined)
      fail({
        where: 'cross-validation',
        problem: 'expected no held-out cases but those of the folds',
        found: shownValue(validation),
        hint: 'Give --folds, or a file of splits as --validation',
      });
    return asked ?? 5;
  }
  if (asked !== undefined)
    fail({
      where: 'cross-validation',
      problem: `expected the folds of ${validation} alone`,
      found: `${asked} folds`,
    });
  const splits = /\.json$/i.test(validation) ? readJson(validation) : undefined;
  if (Array.isArray(splits) && splits.length > 0 && splits.every((one) => typeof one === 'object'))
    return splits.length;
  return fail({
    where: validation,
    problem: 'expected a list of splits, such as nnU-Net writes',
    found: Array.isArray(splits) ? 'a list of ids' : 'one split',
  });
}

function foldConfig(config: TrainConfig, k: number, folds: number): TrainConfig {
  const fold = typeof config.validation === 'string' ? `${k}` : `${k}/${folds}`;
  return resolveConfig({ ...config, out: path.join(config.out, `fold_${k}`), fold });
}

/** Keeps the settings of all folds in their folder, or refuses others than those that are there. */
async function keepSettings(config: TrainConfig, folds: number): Promise<void> {
  const file = path.join(config.out, 'cross-validation.json');
  const { out: _, ...rest } = config;
  const settings: Record<string, unknown> = JSON.parse(JSON.stringify({ folds, ...rest }));
  for (const key of PLACES) delete settings[key];
  if (!existsSync(file)) {
    checkRunPlace(config.out, config.data);
    const names = ['summary.json', 'summary.md', ...Array.from({ length: folds }, (_, k) => `fold_${k}`)];
    const taken = names.find((name) => existsSync(path.join(config.out, name)));
    if (taken !== undefined)
      fail({
        where: config.out,
        problem: 'place of a cross-validation',
        expected: 'a new folder, or one that a cross-validation has begun in',
        found: `${taken} of something else`,
        hint: 'Give another folder with --out',
      });
    makeFolder(config.out);
    await writeTextAtomically(file, `${JSON.stringify(settings, null, 2)}\n`);
    return;
  }
  const before = readJson(file) as Readonly<Record<string, unknown>>;
  const keys = [...new Set([...Object.keys(before), ...Object.keys(settings)])];
  const other = keys.find((key) => !isDeepStrictEqual(before[key], settings[key]));
  if (other === undefined) return;
  fail({
    where: file,
    problem: `"${other}" of the folds that are there`,
    expected: shownValue(before[other]),
    found: shownValue(settings[other]),
    hint: 'Give the same settings, or another --out',
  });
}

function summed(config: TrainConfig, folds: number): CrossValidation {
  const scored = Array.from({ length: folds }, (_, k) => readScores(path.join(config.out, `fold_${k}`)));
  const names = [...new Set(scored.flatMap(({ classes }) => classes))];
  const shown = (dice: Readonly<Record<string, number | null>>) =>
    Object.fromEntries(names.map((name) => [name, dice[name] ?? null]));
  const cases = scored.flatMap(({ cases: own }, fold) =>
    own.map(({ id, dice }) => ({ id, fold, dice: shown(dice) })),
  );
  const over = (some: readonly { readonly dice: Readonly<Record<string, number | null>> }[]) =>
    Object.fromEntries(names.map((name) => [name, scoresOf(some.map(({ dice }) => dice[name] ?? null))]));
  return {
    data: config.data,
    folds: scored.map(({ cases: own }, k) => ({ run: path.join(config.out, `fold_${k}`), dice: over(own) })),
    dice: over(cases),
    original: { cases },
  };
}

function scoresOf(scores: readonly (number | null)[]): FoldScores {
  const known = scores.filter((score) => score !== null);
  if (known.length === 0) return { cases: 0, mean: null, deviation: null };
  const mean = known.reduce((sum, score) => sum + score, 0) / known.length;
  const variance = known.reduce((sum, score) => sum + (score - mean) ** 2, 0) / known.length;
  return { cases: known.length, mean, deviation: Math.sqrt(variance) };
}

/** A cross-validation as Markdown: of voxels Dice by class and fold, then of every case. */
export function crossMarkdown(found: CrossValidation | ImageCrossValidation): string {
  if ('task' in found) return imageCrossMarkdown(found);
  const { data, folds, dice, original } = found;
  const names = Object.keys(dice);
  const columns = names.map((title) => ({ title, right: true }));
  const show = ({ mean, deviation }: FoldScores): string =>
    mean === null ? '-' : `${mean.toFixed(4)} ± ${deviation!.toFixed(4)}`;
  const fixed = (score: number | null | undefined): string => (score == null ? '-' : score.toFixed(4));
  return [
    `# Cross-validation on ${markdownText(data)}`,
    `${original.cases.length} cases in ${folds.length} folds, each judged by the network that did not see it. Mean Dice over cases, ± standard deviation; \`-\` where it is not defined.`,
    markdownTable(
      [{ title: 'fold' }, ...columns],
      [
        ...folds.map((fold, k) => [`${k}`, ...names.map((name) => show(fold.dice[name]))]),
        ['all', ...names.map((name) => show(dice[name]))],
      ],
    ),
    '## Cases',
    markdownTable(
      [{ title: 'case' }, { title: 'fold', right: true }, ...columns],
      original.cases.map(({ id, fold, dice: own }) => [
        id,
        `${fold}`,
        ...names.map((name) => fixed(own[name])),
      ]),
    ),
  ].join('\n\n');
}
