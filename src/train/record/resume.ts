import { existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { HalomeshError } from '../../core/index.ts';
import type { Processes } from '../../machine/index.ts';
import { together, type Variables } from '../../run/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { learningRateOf } from '../config/model.ts';
import type { BestScore } from './best.ts';
import { loadCheckpoint } from './checkpoint.ts';
import { checkpointsOf, type RunFolder } from './run-folder.ts';
import { checkSameCheckpoint } from './same-files.ts';

/** Where a resumed run goes on. */
export interface Resumed {
  readonly file: string;
  /** Steps done. */
  readonly step: number;
  readonly best: BestScore | undefined;
}

/**
 * Loads the newest checkpoint of a run that is whole; `warn` is told which ones are not. Undefined where the run has none: then
 * it begins at its start. Throws HalomeshError of the newest one where none is whole. All processes call it.
 */
export async function loadNewest(
  processes: Processes,
  folder: RunFolder,
  variables: Variables,
  warn: (text: string) => void,
): Promise<Resumed | undefined> {
  const own = processes.index === 0 ? JSON.stringify(checkpointsOf(folder).filter(existsSync)) : '';
  const [text] = await processes.share('checkpoints of the run', own);
  const files = JSON.parse(text) as readonly string[];
  let first: HalomeshError | undefined;
  for (const file of files) {
    try {
      return await load(processes, file, variables);
    } catch (error) {
      if (!(error instanceof HalomeshError)) throw error;
      first ??= error;
      const next = files[files.indexOf(file) + 1];
      if (next !== undefined) warn(`${error.message}. The run goes on from ${next}`);
    }
  }
  if (first !== undefined) throw first;
  return undefined;
}

async function load(processes: Processes, file: string, variables: Variables): Promise<Resumed> {
  await checkSameCheckpoint(processes, file);
  const { step, metadata } = await together(processes, 'the checkpoint', () =>
    loadCheckpoint(file, variables),
  );
  const best = metadata.best === undefined ? undefined : (JSON.parse(metadata.best) as BestScore);
  return { file, step, best };
}

/**
 * Keeps the latest checkpoint under the name of the one before, as a new one is about to take its place. It has both names until
 * then: at every moment one of them stands for a whole file.
 */
export function keepPrevious({ latest, previous }: RunFolder): void {
  if (!existsSync(latest)) return;
  rmSync(previous, { force: true });
  try {
    linkSync(latest, previous);
  } catch {
    // A file system without hard links.
    renameSync(latest, previous);
  }
}

/** Says how the learning rate jumps after `step` steps where other `steps` stretch its schedule; undefined where it does not. */
export function rateJump(
  before: TrainConfig | undefined,
  now: TrainConfig,
  step: number,
): string | undefined {
  if (before === undefined || step === 0 || step >= now.steps) return undefined;
  const [last, planned, next] = [
    learningRateOf(before, step - 1),
    learningRateOf(before, step),
    learningRateOf(now, step),
  ];
  if (next === planned) return undefined;
  const show = (rate: number): string => String(Number(rate.toPrecision(3)));
  return `the learning rate jumps from ${show(last)} to ${show(next)}, as steps are ${now.steps} in place of ${before.steps}`;
}
