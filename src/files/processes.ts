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

/** Whether a process of this place runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/**
 * When a process of this place began, in ticks since the machine started; undefined where the system does not tell. A number is
 * given to another process some time after its first one ended, and then this differs.
 */
export function processStart(pid: number): string | undefined {
  try {
    // The name in parentheses may hold anything; the start is the 20th field behind it.
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
