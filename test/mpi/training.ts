import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSafetensors, readLog, runFolder } from '../../src/train/index.ts';

/** A network that is trained within seconds. */
export const SMALL = { base: 4, levels: 2, steps: 24, checkpointEvery: 3 };
export const SMALL_FLAGS = ['--base', '4', '--levels', '2', '--steps', '24', '--checkpoint-every', '3'];

/** The losses of a run by its log, the first step first. */
export async function losses(run: string): Promise<number[]> {
  const lines = await readLog(runFolder(run).log);
  return lines.flatMap((line) => (line.kind === 'step' ? [line.loss] : []));
}

/** Steps in the log of a run that may just be written. */
export function stepsOf(run: string): number {
  const { log } = runFolder(run);
  return existsSync(log) ? (readFileSync(log, 'utf8').match(/"kind":"step"/g) ?? []).length : 0;
}

/** Waits until a run has done so many steps. */
export async function reached(run: string, steps: number): Promise<void> {
  while (stepsOf(run) < steps) await sleep(10);
}

/** The step of the checkpoint that a run would go on from; all of its numbers are read. */
export async function checkpointStep(run: string): Promise<number> {
  const file = await openSafetensors(runFolder(run).latest);
  for (const name of file.tensors.keys()) await file.read(name);
  await file.close();
  return Number(file.metadata.step);
}
