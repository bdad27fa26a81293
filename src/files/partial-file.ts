import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { isAlive, processPlace } from './processes.ts';

// A file in the making is FILE.PLACE-PROCESS-RANDOM.partial beside FILE, and is renamed when it is whole. None is left behind
// where the process can help it: `discard` after a failure, the exit of the process, and, after a kill that nothing can
// catch, the next file that is begun in the same folder.

const pattern = /\.([0-9a-f]{8})-(\d+)-[0-9a-f]{12,13}\.partial$/;

/** Of this process; removed when it exits. */
const unfinished = new Set<string>();

/** A file, or a folder, that appears under its name as a whole or not at all. */
export interface PartialFile {
  /** Where to write meanwhile. */
  readonly path: string;
  /** Gives the file its name, in place of an older one (of a folder: an empty one). */
  finish(): void;
  /** Removes what was written. Safe at any time, also twice. */
  discard(): void;
}

/**
 * Begins a file, whose folder must be there for writing, and creates it, empty: whoever writes into it opens it with `r+`, so
 * that a call which is still under way when the file is discarded finds nothing and makes nothing. Removes what dead processes
 * left unfinished in this folder. Throws the system's error.
 */
export function beginPartial(file: string): PartialFile {
  return begin(file, (temporary) => closeSync(openSync(temporary, 'wx')));
}

/** As beginPartial, for a folder, which is made. */
export function beginPartialFolder(folder: string): PartialFile {
  return begin(folder, (temporary) => mkdirSync(temporary));
}

function begin(file: string, create: (temporary: string) => void): PartialFile {
  removeStale(path.dirname(file));
  const random = randomBytes(6).toString('hex');
  const temporary = `${file}.${processPlace()}-${process.pid}-${random}.partial`;
  if (unfinished.size === 0 && !process.listeners('exit').includes(removeUnfinished))
    process.on('exit', removeUnfinished);
  unfinished.add(temporary);
  try {
    create(temporary);
  } catch (error) {
    unfinished.delete(temporary);
    throw error;
  }
  return {
    path: temporary,
    finish() {
      renameSync(temporary, file);
      unfinished.delete(temporary);
    },
    discard() {
      remove(temporary);
      unfinished.delete(temporary);
    },
  };
}

/** Files and folders that this process has begun and not finished. */
export const unfinishedFiles = (): string[] => [...unfinished];

function removeUnfinished(): void {
  for (const file of unfinished) {
    try {
      remove(file);
    } catch {
      // The process ends; the next one that writes here removes what is left.
    }
  }
}

/**
 * Removes a file or folder. Of a folder the name goes first: calls that are under way in other threads then find nothing by it,
 * and those that found it before are outlasted.
 */
function remove(file: string): void {
  const gone = file.replace(/\.partial$/, '0.partial');
  try {
    renameSync(file, gone);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  rmSync(gone, { force: true, recursive: true, maxRetries: 5, retryDelay: 20 });
}

function removeStale(folder: string): void {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return; // whoever opens the file says what is wrong with its folder
  }
  for (const name of names) {
    const match = pattern.exec(name);
    if (match !== null && match[1] === processPlace() && !isAlive(Number(match[2])))
      rmSync(path.join(folder, name), { force: true, recursive: true });
  }
}
