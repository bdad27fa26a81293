import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import path from 'node:path';

/**
 * Bytes of memory that this process may hold at most: what the machine has, or less where a container, one of the groups of
 * processes around it (cgroup v1 or v2), or a limit of the process itself (`ulimit -v`) grants less. Who takes more is killed, not
 * told. `root`: where the files of the system lie.
 */
export function memoryOfProcess(root = '/', machine = totalmem()): number {
  return Math.min(machine, ...groupLimits(root), addressLimit(root));
}

/** Limits of the group of this process and of all that it is in. */
function groupLimits(root: string): number[] {
  const limits: number[] = [];
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
        if (/^\d+$/.test(text)) limits.push(Number(text));
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
