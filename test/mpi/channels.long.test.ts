import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writePhantom } from '../../src/imaging/index.ts';
import { openSafetensors, predict, readLog, resolveConfig, runFolder, train } from '../../src/train/index.ts';
import { COMMAND, describeMpi, mpirun } from './launch.ts';

// Scans of several channels: each process reads its boxes of each channel, and the statistics that a channel is normalised by are those
// of all of it.

describeMpi('several channels over processes', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-mpi-channels-'));
  const at = (name: string): string => path.join(folder, name);
  const settings = { base: 4, levels: 2, steps: 3, checkpointEvery: 3 };
  const flags = ['--base', '4', '--levels', '2', '--steps', '3', '--checkpoint-every', '3', '--threads', '1'];
  const held = { validation: ['phantom_002'] };

  beforeAll(async () => {
    await writePhantom({
      out: at('data'),
      modality: 'mr',
      channels: 4,
      size: [16, 14, 15],
      cases: 3,
      seed: 3,
    });
    await train(resolveConfig({ ...settings, ...held, data: at('data'), out: at('one'), threads: 1 }));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Losses and weights of a run. */
  async function numbers(run: string): Promise<Record<string, unknown>> {
    const lines = await readLog(runFolder(run).log);
    const file = await openSafetensors(runFolder(run).latest);
    const weights: [string, unknown][] = [];
    for (const name of [...file.tensors.keys()].sort()) weights.push([name, await file.read(name)]);
    await file.close();
    return {
      losses: lines.map((line) => ('loss' in line ? [line.kind, line.step, line.loss, line.dice] : line)),
      weights,
    };
  }

  it.each([
    [2, 'depth=2'],
    [4, 'depth=2,width=2'],
  ])('%i processes train and predict as one does, bit for bit', async (processes, split) => {
    const run = at(`of-${processes}`);
    const trained = await mpirun(processes, [
      ...[COMMAND, 'train', '--data', at('data'), '--out', run, '--validation', 'phantom_002'],
      ...['--split', split, ...flags],
    ]);
    expect(trained.code, trained.stderr).toBe(0);
    const expected = await numbers(at('one'));
    expect(expected.losses).toHaveLength(4);
    expect(await numbers(run)).toEqual(expected);

    const scans = readdirSync(path.join(at('data'), 'imagesTr'))
      .sort()
      .slice(0, 4);
    const input = scans.map((file) => path.join(at('data'), 'imagesTr', file)).join(',');
    const [here, there] = [at(`here-${processes}.nii`), at(`there-${processes}.nii`)];
    await predict({ run: at('one'), input, output: here, threads: 1 });
    const predicted = await mpirun(processes, [
      ...[COMMAND, 'predict', '--run', at('one'), '--input', input, '--output', there, '--split', split],
    ]);
    expect(predicted.code, predicted.stderr).toBe(0);
    expect(readFileSync(there).equals(readFileSync(here))).toBe(true);
  });
});
