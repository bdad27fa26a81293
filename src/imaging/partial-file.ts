import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readlinkSync, renameSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';

// A file in the making is FILE.PLACE-PROCESS-RANDOM.partial beside FILE, and is renamed when it is whole. None is left behind
// where the process can help it: `discard` after a failure, the exit of the process, and, after a kill that nothing can
// catch, the next file that is begun in the same folder.

const pattern = /\.([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.partial$/;

/** Of this process; removed when it exits. */
const unfinished = new Set<string>();

/** The machine, and on Linux the set of processes, that process numbers belong to: another's are not ours to judge. */
const place = createHash('sha256').update(`${hostname()} ${processSpace()}`).digest('hex').slice(0, 8);

function processSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** A file, or a folder, that appears under its name as a whole or not at all. */
export interface PartialFile {
  /** Where to write meanwhile. */
  readonly path: string;
  /** Gives the file its name, in place of an older one (of a folder: an empty one). */
  finish(): void;
  /** Removes what was written. Safe at any time, also twice. */
  discard(): void;
}

/** Begins a file, whose folder must be there for writing; removes what dead processes left unfinished in this folder. */
export function beginPartial(file: string): PartialFile {
  removeStale(path.dirname(file));
  const temporary = `${file}.${place}-${process.pid}-${randomBytes(6).toString('hex')}.partial`;
  if (unfinished.size === 0 && !process.listeners('exit').includes(removeUnfinished))
    process.on('exit', removeUnfinished);
  unfinished.add(temporary);
  return {
    path: temporary,
    finish() {
      renameSync(temporary, file);
      unfinished.delete(temporary);
    },
    discard() {
      rmSync(temporary, { force: true, recursive: true });
      unfinished.delete(temporary);
    },
  };
}

function removeUnfinished(): void {
  for (const file of unfinished) rmSync(file, { force: true, recursive: true });
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
    if (match !== null && match[1] === place && !isAlive(Number(match[2])))
      rmSync(path.join(folder, name), { force: true, recursive: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
