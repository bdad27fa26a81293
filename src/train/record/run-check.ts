import { existsSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { fail, shownValue } from '../../core/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { configOfFolder } from './run-config.ts';
import { checkpointsOf, type RunFolder } from './run-folder.ts';

/** What a resumed run may change: how long, how often and where it runs, not what comes out, but that devices round differently. */
const FREE: ReadonlySet<string> = new Set([
  'memoryLimit',
  'spillDir',
  'device',
  'steps',
  'threads',
  'mesh',
  'layout',
  'split',
  'out',
  // They are compared by what is in them.
  'data',
  'checkpointEvery',
  'patience',
]);

/** Refuses to begin where a run lies. */
export async function checkNew(folder: RunFolder): Promise<void> {
  for (const file of [folder.config, ...checkpointsOf(folder), folder.log])
    if (await exists(file))
      fail({
        where: folder.dir,
        problem: 'the folder holds a run already',
        expected: 'a folder without one',
        found: file,
        hint: `${isThere(folder) ? 'Continue it with --resume, give' : 'Give'} another folder with --out, or remove this one`,
      });
}

/** Refuses to resume what is not there. */
export function checkThere(folder: RunFolder): void {
  if (isThere(folder)) return;
  fail({
    where: folder.dir,
    problem: 'there is nothing to resume',
    expected: 'the folder of a run, with config.json or a checkpoint',
    found: existsSync(folder.dir) ? 'a folder without' : 'no such folder',
    hint: 'Give the --out of the run, or train without --resume',
  });
}

/** A run can be resumed from its config, at its start, and from any of its checkpoints. */
const isThere = (folder: RunFolder): boolean => [folder.config, ...checkpointsOf(folder)].some(existsSync);

/** Refuses to resume by a config that would give other numbers than the run's own, which it gives back. */
export async function checkResumable(
  folder: RunFolder,
  config: TrainConfig,
  warn?: (text: string) => void,
): Promise<TrainConfig> {
  const before = await configOfFolder(folder, warn);
  const old: Readonly<Record<string, unknown>> = { ...before };
  const now: Readonly<Record<string, unknown>> = { ...config };
  const changed = [...new Set([...Object.keys(old), ...Object.keys(now)])].filter((key) => {
    // The names of the classes come from the data set where they are not given.
    if (FREE.has(key) || (key === 'classes' && now.classes === undefined)) return false;
    return !isDeepStrictEqual(saved(old[key]), saved(now[key]));
  });
  if (changed.length === 0) return before;
  const show = (values: typeof old): string =>
    changed
      .map((key) => `${key} ${values[key] === undefined ? 'not set' : shownValue(values[key])}`)
      .join(', ');
  return fail({
    where: folder.dir,
    problem: `a resumed run must keep its ${changed.map((key) => `"${key}"`).join(', ')}`,
    expected: show(old),
    found: show(now),
    hint: 'Only steps, device, threads, mesh, layout, split, memoryLimit, spillDir, checkpointEvery and patience may change',
  });
}

/** A setting as files have it: without functions, and a module by what is in it, whatever its file was called. */
function saved(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const plain: unknown = JSON.parse(JSON.stringify(value));
  return typeof plain === 'object' && plain !== null && 'sha256' in plain ? plain.sha256 : plain;
}

export async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
