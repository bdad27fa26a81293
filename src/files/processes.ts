import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

// Which process wrote something, told so that another one can see whether it still runs.

let place: string | undefined;

/** The machine, and on Linux the set of processes, that process numbers belong to, as 8 hex digits: another's are not ours to judge. */
export function processPlace(): string {
  place ??= createHash('sha256').update(`${hostname()} ${processSpace()}`).digest('hex').slice(0, 8);
  return place;
}

function processSpace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

/** Whether a process of this place runs. One that was killed and waits to be collected, or is about to end, runs no more. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
  const [state, , , , , , flags] = statOf(pid) ?? [];
  return state !== 'Z' && state !== 'X' && (Number(flags ?? 0) & ENDING) === 0;
}

/** PF_EXITING of Linux: the process has left its program for good. */
const ENDING = 4;

/**
 * When a process of this place began, in ticks since the machine started; undefined where the system does not tell. A number is
 * given to another process some time after its first one ended, and then this differs.
 */
export function processStart(pid: number): string | undefined {
  return statOf(pid)?.[19];
}

/** The fields of `/proc/PID/stat` behind the name, from the state on: the name in parentheses may hold anything. */
function statOf(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
