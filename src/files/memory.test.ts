import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/imaging/nifti-fixture.ts';
import { memoryLimits, memoryOfProcess, shareOfMemory } from './memory.ts';

const folder = temporaryFolder();
const GB = 2 ** 30;
let systems = 0;

/** A system of these files, with a machine of 64 GiB. */
function memory(files: Readonly<Record<string, string>>): number {
  return memoryOfProcess(system(files), 64 * GB) / GB;
}

function system(files: Readonly<Record<string, string>>): string {
  const root = path.join(folder, `system${systems++}`);
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return root;
}

describe('memoryOfProcess', () => {
  it('is that of the machine where nothing limits it', () => {
    expect(memory({})).toBe(64);
    expect(
      memory({
        'proc/self/cgroup': '0::/\n',
        'proc/self/limits': 'Max address space         unlimited            unlimited            bytes\n',
      }),
    ).toBe(64);
  });

  it('is the least of a group and of those around it', () => {
    const group = { 'proc/self/cgroup': '0::/a.slice/b.scope\n' };
    const at = (name: string) => `sys/fs/cgroup/${name}memory.max`;
    expect(memory({ ...group, [at('a.slice/b.scope/')]: 'max\n', [at('a.slice/')]: `${4 * GB}\n` })).toBe(4);
    expect(
      memory({ ...group, [at('a.slice/b.scope/')]: `${2 * GB}\n`, [at('a.slice/')]: `${4 * GB}\n` }),
    ).toBe(2);
    // A container sees its own group as the top one.
    expect(memory({ ...group, [at('')]: `${3 * GB}\n` })).toBe(3);
  });

  it('knows the groups of version 1, where no limit is a huge number', () => {
    const group = { 'proc/self/cgroup': '5:cpu,cpuacct:/\n4:memory:/docker/0a\n' };
    const at = (name: string) => `sys/fs/cgroup/memory/${name}memory.limit_in_bytes`;
    expect(memory({ ...group, [at('docker/0a/')]: '9223372036854771712\n' })).toBe(64);
    expect(memory({ ...group, [at('docker/0a/')]: '9223372036854771712\n', [at('')]: `${GB}\n` })).toBe(1);
  });

  it('takes the limit of address space', () => {
    expect(
      memory({
        'proc/self/limits': `Max address space         ${8 * GB}           unlimited            bytes\n`,
      }),
    ).toBe(8);
  });
});

describe('shareOfMemory', () => {
  const machine = (boot: string) => ({ 'proc/sys/kernel/random/boot_id': `${boot}\n` });
  const group = (name: string, gigabytes: number) => ({
    'proc/self/cgroup': `0::${name}\n`,
    [`sys/fs/cgroup${path.dirname(name)}/memory.max`]: `${gigabytes * GB}\n`,
  });
  const limits = (files: Readonly<Record<string, string>>) => memoryLimits(system(files), 64 * GB);
  const shares = (...all: Readonly<Record<string, string>>[]) => {
    const each = all.map(limits);
    return each.map((own) => shareOfMemory(own, each) / GB);
  };

  it('divides a machine among the processes on it', () => {
    expect(shares(machine('a'), machine('a'), machine('b'))).toEqual([32, 32, 64]);
  });

  it('divides what a group has among the processes of all groups within, and leaves others out', () => {
    const task = (n: number) => ({ ...machine('a'), ...group(`/job_1/task_${n}`, 12) });
    expect(shares(task(0), task(1), task(2), { ...machine('a'), ...group('/job_2/task_0', 3) })).toEqual([
      4, 4, 4, 3,
    ]);
  });

  it('grants the address space of a process to it alone', () => {
    const limited = {
      ...machine('a'),
      'proc/self/limits': `Max address space         ${8 * GB}           unlimited            bytes\n`,
    };
    expect(shares(limited, limited)).toEqual([8, 8]);
  });
});
