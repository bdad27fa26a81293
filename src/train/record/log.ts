import { existsSync } from 'node:fs';
import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { cannotWrite, makeFolder, parseJson, readText, writeTextAtomically } from '../../files/index.ts';
import type { ScoredImage } from '../../imaging/index.ts';
import type { DiceByClass } from './hard-dice.ts';

export type { DiceByClass } from './hard-dice.ts';

/** What is told of images that have one label: the likeliest class by the probabilities of all. */
export interface ImageMeasures {
  /** Share of the images whose likeliest class is theirs; absent where voxels are told apart. */
  readonly accuracy?: number | null;
  /** AUC of two classes, of more the mean of each against the others; null where all images have one class. */
  readonly auc?: number | null;
  /** By class. */
  readonly aucByClass?: Readonly<Record<string, number | null>>;
}

/** What a training step gave: one line of the log. */
export interface StepLine extends Pick<ImageMeasures, 'accuracy'> {
  readonly kind: 'step';
  /** Steps done, from 1. */
  readonly step: number;
  /** Passes over the training cases, from 1. */
  readonly epoch: number;
  /** Ids of the cases of the step. */
  readonly cases: readonly string[];
  /** In 2-D, the place of each of its slices along the depth of the case. */
  readonly slices?: readonly number[];
  readonly loss: number;
  readonly crossEntropy: number;
  /** Dice losses, -1 to 0: mean over the cases, and of all cases at once. Absent where the loss has none. */
  readonly diceCase?: number;
  readonly diceGlobal?: number;
  /** Where images have one label: the class of each image of the step and the probabilities of all classes. */
  readonly images?: readonly ScoredImage[];
  /** From the counts of voxels by the most likely class; empty where images have one label. */
  readonly dice: DiceByClass;
  /** Classes above 0 that no voxel of the step has. Not in logs of older versions. */
  readonly absent?: readonly string[];
  /** From probabilities, of the classes of the Dice loss. */
  readonly softDice: Readonly<Record<string, number>>;
  readonly learningRate: number;
  /** Of the whole step: preparing the case, augmentation and computation. */
  readonly seconds: number;
  /** Of these, in which this process's device worked by its own clock; absent where that is the CPU. */
  readonly deviceSeconds?: number;
  /** Highest resident memory of the process so far. */
  readonly peakRssBytes: number;
  /** Between ranks in this step. */
  readonly bytesSent: number;
}

/** How the network does on the validation cases at a checkpoint: one line of the log. */
export interface ValidationLine extends ImageMeasures {
  readonly kind: 'validation';
  /** Steps done. */
  readonly step: number;
  /** Mean over the validation cases. */
  readonly loss: number;
  /** Of the sums over all validation cases; empty where images have one label. */
  readonly dice: DiceByClass;
  /** Classes above 0 that no validation case has. Not in logs of older versions. */
  readonly absent?: readonly string[];
  readonly seconds: number;
}

/** Something that a training went on in spite of: one line of the log. */
export interface WarningLine {
  readonly kind: 'warning';
  /** Steps done. */
  readonly step: number;
  readonly text: string;
}

export type LogLine = StepLine | ValidationLine | WarningLine;

/** Begins a log, empty. */
export async function startLog(file: string): Promise<void> {
  try {
    makeFolder(path.dirname(file));
    await writeFile(file, '');
  } catch (error) {
    cannotWrite(file, error);
  }
}

/** Adds a line to a log. */
export async function appendLog(file: string, line: LogLine): Promise<void> {
  await appendFile(file, `${JSON.stringify(line)}\n`).catch((error: unknown) => cannotWrite(file, error));
}

/**
 * The lines of a log, by their steps. A last line that was cut off in the middle is left out, and so are lines that are none of a
 * log, of which `warn` is told; of lines for one step the last one counts.
 */
export async function readLog(file: string, warn?: (text: string) => void): Promise<LogLine[]> {
  const texts = (await readText(file)).split('\n');
  texts.pop();
  const found = new Map<string, LogLine>();
  const bad: number[] = [];
  for (const [n, text] of texts.entries()) {
    const line = lineOf(text);
    if (line === undefined) bad.push(n + 1);
    else found.set(`${line.kind} ${line.step} ${line.kind === 'warning' ? line.text : ''}`, line);
  }
  if (bad.length > 0) {
    const [first] = bad;
    const which = bad.length === 1 ? `line ${first} is` : `line ${first} and ${bad.length - 1} more are`;
    warn?.(`${file}: ${which} no line of a log, and left out`);
  }
  return [...found.values()].sort(
    (a, b) => a.step - b.step || (a.kind === b.kind ? 0 : a.kind < b.kind ? -1 : 1),
  );
}

const scores = z.record(z.string(), z.number().nullable());
const lineSchema = z.discriminatedUnion('kind', [
  z.looseObject({
    kind: z.literal('step'),
    step: z.number().int().positive(),
    loss: z.number(),
    cases: z.array(z.string()),
    dice: scores,
  }),
  z.looseObject({
    kind: z.literal('validation'),
    step: z.number().int().nonnegative(),
    loss: z.number().nullable(),
    dice: scores,
  }),
  z.looseObject({
    kind: z.literal('warning'),
    step: z.number().int().nonnegative(),
    text: z.string(),
  }),
]);

function lineOf(text: string): LogLine | undefined {
  try {
    const value = parseJson(text);
    // The value itself, with all that stands in it.
    return lineSchema.safeParse(value).success ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Takes the lines after a step out of a log, as they are done anew, and those that are none; gives those that stay. `warn` is told
 * of a log that is not as it should be.
 */
export async function cutLog(file: string, step: number, warn?: (text: string) => void): Promise<LogLine[]> {
  if (!existsSync(file) && step > 0) warn?.(`${file}: no such file; the log begins anew after step ${step}`);
  const all = existsSync(file) ? await readLog(file, warn) : [];
  const kept = all.filter((line) => line.step <= step);
  await writeTextAtomically(file, kept.map((line) => `${JSON.stringify(line)}\n`).join(''));
  return kept;
}
