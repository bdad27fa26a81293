import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { cannotWrite, makeFolder, writeAll, writeAtomically } from '../files/index.ts';

/** Dice by class name, 0 to 1, of the classes above 0; null where a class is neither true nor predicted. */
export type DiceByClass = Readonly<Record<string, number | null>>;

/** What a training step gave: one line of the log. */
export interface StepLine {
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
  /** From the counts of voxels by the most likely class. */
  readonly dice: DiceByClass;
  /** Classes above 0 that no voxel of the step has. Not in logs of older versions. */
  readonly absent?: readonly string[];
  /** From probabilities, of the classes of the Dice loss. */
  readonly softDice: Readonly<Record<string, number>>;
  readonly learningRate: number;
  /** Of the whole step: preparing the case, augmentation and computation. */
  readonly seconds: number;
  /** Highest resident memory of the process so far. */
  readonly peakRssBytes: number;
  /** Between ranks in this step. */
  readonly bytesSent: number;
}

/** How the network does on the validation cases at a checkpoint: one line of the log. */
export interface ValidationLine {
  readonly kind: 'validation';
  /** Steps done. */
  readonly step: number;
  /** Mean over the validation cases. */
  readonly loss: number;
  /** Of the sums over all validation cases. */
  readonly dice: DiceByClass;
  /** Classes above 0 that no validation case has. Not in logs of older versions. */
  readonly absent?: readonly string[];
  readonly seconds: number;
}

export type LogLine = StepLine | ValidationLine;

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

/** The lines of a log. A last line that was cut off in the middle is left out. */
export async function readLog(file: string): Promise<LogLine[]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  lines.pop();
  return lines.map((line) => JSON.parse(line) as LogLine);
}

/** Takes the lines after a step out of a log, as they are done anew; gives those that stay. */
export async function cutLog(file: string, step: number): Promise<LogLine[]> {
  const kept = (await readLog(file)).filter((line) => line.step <= step);
  const text = kept.map((line) => `${JSON.stringify(line)}\n`).join('');
  await writeAtomically(file, (handle) => writeAll(handle, Buffer.from(text)));
  return kept;
}
