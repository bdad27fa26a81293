import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { fail, printable } from '../core/index.ts';
import { isAlive, processPlace, processStart } from './processes.ts';
import { systemErrorCode, systemErrorReason, writeHints } from './system-errors.ts';
import { parseJson } from './text.ts';

// A folder that one process at a time writes into holds a file `.lock` meanwhile, which says who that is. A lock whose process
// is gone is taken over: on one machine the system tells, of another one the time since it was touched last.

/** A folder that is this process's own until it lets go. */
export interface Lock {
  /** Says that its process is alive; it does so by itself too, while the process has turns. */
  touch(): void;
  /** Lets others in. Safe twice. It happens by itself when the process exits. */
  release(): void;
}

/** Milliseconds without a touch after which a lock of another machine counts as left behind. */
const ABANDONED = 20 * 60_000;
const TOUCHED_EVERY = 30_000;

interface Holder {
  readonly host: string;
  readonly place: string;
  readonly pid: number;
  readonly start?: string;
  readonly since: string;
}

/**
 * Takes a folder, which must be there, for this process; `what` is told to others: `training`. Throws HalomeshError that names
 * host and process where another one has it, or where nothing can be written there.
 */
export function lockFolder(folder: string, what: string): Lock {
  const file = path.join(folder, '.lock');
  const holder: Holder = {
    host: hostname(),
    place: processPlace(),
    pid: process.pid,
    start: processStart(process.pid),
    since: new Date().toISOString(),
  };
  const own = `${JSON.stringify({ ...holder, what, key: randomBytes(6).toString('hex') })}\n`;
  const draft = `${file}-${randomBytes(6).toString('hex')}`;
  try {
    writeFileSync(draft, own, { flag: 'wx' });
    for (let tries = 0; !linked(draft, file); tries++) {
      const refusal = tries < 5 ? removeStale(file, draft) : 'a process that came at the same time';
      if (refusal === undefined) continue;
      fail({
        where: folder,
        problem: `is in use for ${what}`,
        expected: 'no other process at work there',
        found: refusal,
        hint: `Wait until it ends, or choose another folder. If it runs no more, remove ${file}`,
      });
    }
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
    const code = systemErrorCode(error);
    fail(
      { where: folder, problem: `cannot be written: ${systemErrorReason(error)}`, hint: writeHints[code] },
      { cause: error },
    );
  } finally {
    // A draft that stays does no harm: nobody looks at it.
    tryTwice(() => rmSync(draft, { force: true }));
  }
  return held(file, own);
}

/** Whether a name in a folder is that of a lock, or of what was left of making one. */
export function isLockName(name: string): boolean {
  return name === '.lock' || name.startsWith('.lock-');
}

/** Does what a disk may refuse, once more where it does; its refusal then harms nobody. */
function tryTwice(work: () => void): void {
  for (let tries = 0; tries < 2; tries++) {
    try {
      work();
      return;
    } catch {
      // Once more.
    }
  }
}

/** Locks that this process holds: their files, by what they say. One of its own that is not among them was let go. */
const holds = new Map<string, string>();

/** The files of the locks that this process holds. */
export const heldLocks = (): string[] => [...holds.values()];

function held(file: string, own: string): Lock {
  holds.set(own, file);
  const release = (): void => {
    clearInterval(timer);
    process.off('exit', release);
    holds.delete(own);
    // A disk that fails now keeps nobody out: a lock that was let go counts as left behind.
    tryTwice(() => {
      // Only one's own: it may have been taken over while this process was stopped for long.
      if (readFileSync(file, 'utf8') === own) rmSync(file, { force: true });
    });
  };
  const touch = (): void => {
    try {
      const now = new Date();
      if (textOf(file) === own) utimesSync(file, now, now);
    } catch {
      // Whoever writes next into this folder says what is wrong with it.
    }
  };
  const timer = setInterval(touch, TOUCHED_EVERY).unref();
  process.on('exit', release);
  return { touch, release };
}

/** Gives the lock its name where it is free. */
function linked(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a lock that was left behind; says who holds it where it was not. */
function removeStale(file: string, draft: string): string | undefined {
  const text = textOf(file);
  if (text === undefined) return undefined; // released meanwhile
  const age = ageOf(file, draft);
  const holder = holderOf(text);
  const letGo = holder?.pid === process.pid && holder.place === processPlace() && !holds.has(text);
  if (!letGo && isHeld(holder, age)) return describeHolder(holder);
  // By its new name it is looked at again: another process may have taken over before.
  const moved = `${draft}-stale`;
  try {
    renameSync(file, moved);
  } catch {
    return undefined;
  }
  const taken = textOf(moved);
  if (taken !== text) linked(moved, file);
  rmSync(moved, { force: true });
  return undefined;
}

function isHeld(holder: Holder | undefined, age: number): boolean {
  if (holder?.place !== processPlace()) return age < ABANDONED;
  const start = processStart(holder.pid);
  return isAlive(holder.pid) && (holder.start === undefined || start === undefined || holder.start === start);
}

/** Milliseconds since a lock was touched, by the clock of the disk, which is that of both files. */
function ageOf(file: string, draft: string): number {
  try {
    const now = new Date();
    utimesSync(draft, now, now);
    return statSync(draft).mtimeMs - statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}

function holderOf(text: string): Holder | undefined {
  try {
    const { host, place, pid, start, since } = parseJson(text) as Partial<Record<keyof Holder, unknown>>;
    if (typeof host !== 'string' || typeof place !== 'string' || typeof since !== 'string') return undefined;
    if (!Number.isSafeInteger(pid) || (pid as number) <= 0) return undefined;
    return { host, place, pid: pid as number, since, start: typeof start === 'string' ? start : undefined };
  } catch {
    return undefined;
  }
}

function describeHolder(holder: Holder | undefined): string {
  if (holder === undefined) return 'a lock that does not say whose it is';
  const { host, pid, since } = holder;
  return printable(`process ${pid} on ${host}, since ${since}`);
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
