import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSafetensors, predict, resolveConfig, runFolder, train } from '../../src/train/index.ts';
import { writeStained } from '../stained.ts';
import { COMMAND, describeMpi, mpirun } from './launch.ts';
import { losses } from './training.ts';

describeMpi('pictures over processes', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-mpi-plane-'));
  const at = (name: string): string => path.join(folder, name);
  const settings = { plane: true, base: 4, levels: 3, steps: 3, checkpointEvery: 3 };
  const flags = ['--plane', '--base', '4', '--levels', '3', '--steps', '3', '--checkpoint-every', '3'];
  const held = { validation: ['slide_002'] };

  beforeAll(async () => {
    await writeStained(at('data'), 3);
    await train(resolveConfig({ ...settings, ...held, data: at('data'), out: at('one'), threads: 1 }));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Of the last checkpoint of a run. */
  async function weights(run: string): Promise<unknown> {
    const file = await openSafetensors(runFolder(run).latest);
    const all: [string, unknown][] = [];
    for (const name of [...file.tensors.keys()].sort()) all.push([name, await file.read(name)]);
    await file.close();
    return all;
  }

  it.each([
    [4, 'height=2,width=2'],
    [3, 'height=3'],
  ])('%i processes of %s train and predict as one does, bit for bit', async (processes, split) => {
    const run = at(`of-${processes}`);
    const trained = await mpirun(processes, [
      ...[COMMAND, 'train', '--data', at('data'), '--out', run, '--validation', 'slide_002'],
      ...['--split', split, '--threads', '1', ...flags],
    ]);
    expect(trained.code, trained.stderr).toBe(0);
    const expected = await losses(at('one'));
    expect(expected).toHaveLength(3);
    expect(await losses(run)).toEqual(expected);
    expect(await weights(run)).toEqual(await weights(at('one')));

    const input = [0, 1, 2].map((c) => path.join(at('data'), 'imagesTs', `slide_003_000${c}.nii`)).join(',');
    const [here, there] = [at(`here-${processes}.nii`), at(`there-${processes}.nii`)];
    await predict({ run: at('one'), input, output: here, threads: 1 });
    const predicted = await mpirun(processes, [
      ...[COMMAND, 'predict', '--run', at('one'), '--input', input, '--output', there, '--split', split],
    ]);
    expect(predicted.code, predicted.stderr).toBe(0);
    expect(readFileSync(there).equals(readFileSync(here))).toBe(true);
  });
});
