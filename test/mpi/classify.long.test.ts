import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  classify,
  evaluateImages,
  openSafetensors,
  resolveConfig,
  runFolder,
  train,
} from '../../src/train/index.ts';
import { writeSpotted } from '../spotted.ts';
import { COMMAND, describeMpi, mpirun } from './launch.ts';
import { losses } from './training.ts';

describeMpi('classes of images over processes', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-mpi-classify-'));
  const at = (name: string): string => path.join(folder, name);
  const split = ['--split', 'height=2,width=2', '--threads', '1'];

  beforeAll(async () => {
    await writeSpotted(at('data'), 8);
    const settings = { task: 'classify', base: 4, levels: 3, steps: 3, batch: 2, checkpointEvery: 3 };
    await train(
      resolveConfig({ ...settings, validation: 0.5, data: at('data'), out: at('one'), threads: 1 }),
    );
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

  it('train, predict and evaluate as one does, bit for bit', async () => {
    const trained = await mpirun(4, [
      ...[COMMAND, 'train', '--task', 'classify', '--data', at('data'), '--out', at('four'), '--base', '4'],
      ...['--levels', '3', '--steps', '3', '--batch', '2', '--checkpoint-every', '3', '--validation', '0.5'],
      ...split,
    ]);
    expect(trained.code, trained.stderr).toBe(0);
    expect(await losses(at('four'))).toEqual(await losses(at('one')));
    expect(await weights(at('four'))).toEqual(await weights(at('one')));

    const input = path.join(at('data'), 'imagesTr');
    await classify({ run: at('one'), input, output: at('here.csv'), threads: 1 });
    const predicted = await mpirun(4, [
      ...[COMMAND, 'predict', '--run', at('one'), '--input', input, '--output', at('there.csv'), ...split],
    ]);
    expect(predicted.code, predicted.stderr).toBe(0);
    expect(readFileSync(at('there.csv'), 'utf8')).toBe(readFileSync(at('here.csv'), 'utf8'));

    const { images, auc } = await evaluateImages({ run: at('one'), threads: 1 });
    const evaluated = await mpirun(4, [COMMAND, 'evaluate', '--run', at('one'), ...split]);
    expect(evaluated.code, evaluated.stderr).toBe(0);
    const summary = JSON.parse(readFileSync(path.join(at('one'), 'evaluation', 'summary.json'), 'utf8'));
    expect(summary).toMatchObject({ task: 'classify', auc, images });
  });
});
