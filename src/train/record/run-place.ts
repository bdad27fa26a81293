import { existsSync, readdirSync, realpathSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { fail } from '../../core/index.ts';
import { isSamePath, type Lock, lockFolder, makeFolder } from '../../files/index.ts';
import { isStore } from '../../imaging/index.ts';
import type { TrainConfig } from '../config/config.ts';
import { checkNew, checkResumable, checkThere } from './run-check.ts';
import { type RunFolder, runFolder } from './run-folder.ts';

// A run lies in a folder of its own, into which one training at a time writes.

/** A run that is this process's own. */
export interface TakenRun {
  readonly folder: RunFolder;
  readonly lock: Lock;
  /** The config until now, of a resumed one. */
  readonly before?: TrainConfig;
}

/** Takes the folder of a run for this process, if the run can begin there, or go on. */
export async function takeRun(
  folder: RunFolder,
  config: TrainConfig,
  warn: (text: string) => void,
  resume = false,
): Promise<TakenRun> {
  if (resume) checkThere(folder);
  else checkRunPlace(folder.dir, config.data);
  const lock = takeFolder(folder.dir);
  try {
    if (resume) return { folder, lock, before: await checkResumable(folder, config, warn) };
    await checkNew(folder);
    return { folder, lock };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Refuses a folder for a new run, or for several, within a data set, a store, or what another run writes. */
export function checkRunPlace(out: string, data: string): void {
  const refuse = (found: string): never =>
    fail({
      where: out,
      problem: 'is no place for a run',
      expected: 'a folder outside of data sets, stores and the folders of another run',
      found,
      hint: 'Give another folder with --out',
    });
  for (const folder of above(out)) {
    if (isSamePath(folder, data)) refuse(`the data set ${folder}`);
    if (isStore(folder)) refuse(`the store ${folder}`);
    if (existsSync(path.join(folder, 'dataset.json'))) refuse(`the data set ${folder}`);
    const run = runFolder(path.dirname(folder));
    const itsOwn = [run.checkpoints, run.tensorboard].includes(folder);
    if (itsOwn && (existsSync(run.config) || existsSync(run.log))) refuse(`a folder of the run ${run.dir}`);
  }
}

/** A folder and all above it, links followed. */
function above(folder: string): string[] {
  let there = path.resolve(folder);
  const missing: string[] = [];
  while (!existsSync(there) && path.dirname(there) !== there) {
    missing.unshift(path.basename(there));
    there = path.dirname(there);
  }
  const all: string[] = [];
  for (let at = path.join(realpathSync(there), ...missing); ; at = path.dirname(at)) {
    all.push(at);
    if (path.dirname(at) === at) return all;
  }
}

/** Makes the folder of a run and takes it for this process; on release it is removed again where nothing came to lie in it. */
function takeFolder(dir: string): Lock {
  const made = !existsSync(dir);
  makeFolder(dir);
  const lock = lockFolder(dir, 'training');
  return {
    touch: () => lock.touch(),
    release() {
      lock.release();
      if (made && existsSync(dir) && readdirSync(dir).length === 0) rmdirSync(dir);
    },
  };
}
