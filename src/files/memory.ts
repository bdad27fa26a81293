import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, totalmem } from 'node:os';
import path from 'node:path';

/** What bounds the memory of this process. */
export interface MemoryLimit {
  readonly bytes: number;
  /** The machine or group of processes that has the memory in common, by a name that is the same for all in it; absent for a limit of the process. */
  readonly place?: string;
}

/**
 * Bytes of memory that this process may hold at most: what the machine has, or less where a container, one of the groups of
 * processes around it (cgroup v1 or v2), or a limit of the process itself (`ulimit -v`) grants less. Who takes more is killed, not
 * told. `root`: where the files of the system lie.
 */
export function memoryOfProcess(root = '/', machine = totalmem()): number {
  return Math.min(...memoryLimits(root, machine).map(({ bytes }) => bytes));
}

/** All limits that {@link memoryOfProcess} is the least of. */
export function memoryLimits(root = '/', machine = totalmem()): readonly MemoryLimit[] {
  // Unlike its name, this is one for all containers of a machine.
  const host = textOf(path.join(root, 'proc/sys/kernel/random/boot_id')).trim() || hostname();
  return [{ bytes: machine, place: host }, ...groupLimits(root, host), { bytes: addressLimit(root) }];
}

/** Bytes of each of some processes, as many as `all` has lists of limits, so that all together keep within what they have in common. */
export function shareOfMemory(own: readonly MemoryLimit[], all: readonly (readonly MemoryLimit[])[]): number {
  const sharers = (place: string): number =>
    all.filter((limits) => limits.some((limit) => limit.place === place)).length;
  return Math.min(...own.map(({ bytes, place }) => bytes / (place === undefined ? 1 : sharers(place))));
}

/** Limits of the group of this process and of all that it is in. */
function groupLimits(root: string, host: string): MemoryLimit[] {
  const limits: MemoryLimit[] = [];
  const space = linkOf(path.join(root, 'proc/self/ns/cgroup'));
  for (const line of textOf(path.join(root, 'proc/self/cgroup')).split('\n')) {
    const [, kinds, group] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (group === undefined) continue;
    const old = kinds.split(',').includes('memory');
    if (kinds !== '' && !old) continue;
    for (const folder of old ? ['sys/fs/cgroup/memory'] : ['sys/fs/cgroup', 'sys/fs/cgroup/unified']) {
      const file = old ? 'memory.limit_in_bytes' : 'memory.max';
      // Inside a container the path may be that of the machine, of which nothing but the top is seen.
      for (let at = path.posix.join('/', group); ; at = path.posix.dirname(at)) {
        const text = textOf(path.join(root, folder, at, file)).trim();
        if (/^\d+$/.test(text))
          limits.push({ bytes: Number(text), place: `${host} ${space} ${folder}${at}` });
        if (at === '/') break;
      }
    }
  }
  return limits;
}

function addressLimit(root: string): number {
  const [, soft] = /^Max address space\s+(\S+)/m.exec(textOf(path.join(root, 'proc/self/limits'))) ?? [];
  return soft !== undefined && /^\d+$/.test(soft) ? Number(soft) : Number.POSITIVE_INFINITY;
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
