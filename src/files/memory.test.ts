import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/imaging/nifti-fixture.ts';
import { memoryOfProcess } from './memory.ts';

const folder = temporaryFolder();
const GB = 2 ** 30;
let systems = 0;

/** A system of these files, with a machine of 64 GiB. */
function memory(files: Readonly<Record<string, string>>): number {
  const root = path.join(folder, `system${systems++}`);
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return memoryOfProcess(root, 64 * GB) / GB;
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
