import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { assumedSpeeds } from '../../src/machine/index.ts';
import { COMMAND, describeMpi, mpirunIn } from './launch.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-machine-file-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Two processes in folders of their own, each with a machine file of one name. */
function benchWith(name: string, texts: readonly string[]) {
  const folders = texts.map((text, rank) => {
    const own = path.join(folder, `${name}-${rank}`);
    mkdirSync(own);
    writeFileSync(path.join(own, 'machine.json'), text);
    return own;
  });
  const bench = [
    'bench',
    '--size',
    '16',
    '--base',
    '4',
    '--levels',
    '2',
    '--steps',
    '1',
    '--split',
    'depth=2',
  ];
  return mpirunIn(folders, [COMMAND, ...bench], { HALOMESH_MACHINE: 'machine.json' });
}

describeMpi('machine files of several processes', () => {
  it('that differ are refused on all ranks, with the first line that does', async () => {
    const files = [2, 3].map((cores) => JSON.stringify(assumedSpeeds(cores)));
    const { code, stderr } = await benchWith('other', files);
    expect(code).not.toBe(0);
    expect(stderr).toContain(
      'start of 2 processes: what HALOMESH_MACHINE and HALOMESH_OVERLAP say of rank 1 differs from that of rank 0; expected "cores": 2, found "cores": 3',
    );
  });

  it('of which one cannot be used end all, by the rank that has it', async () => {
    const sound = JSON.stringify(assumedSpeeds(2));
    const { code, stderr } = await benchWith('cut', [sound, sound.slice(0, 40)]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/halomesh: (rank 0: on )?rank 1: .*machine\.json.*is not JSON/);
  });
});
