import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { preprocess, type Shape3, writePhantom } from '../../imaging/index.ts';
import { resolveConfig, type TrainConfig } from '../config/config.ts';
import { readLog } from '../record/log.ts';
import { train } from './train.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-boundary-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const data = path.join(folder, 'data');
const SIZE: Shape3 = [12, 14, 10];
beforeAll(async () => {
  await writePhantom({ out: data, size: SIZE, spacing: [3, 2, 2.5], cases: 2 });
});

let runs = 0;
function config(settings: object = {}): TrainConfig {
  return resolveConfig({
    ...{ data, out: path.join(folder, `run${runs++}`), steps: 2, threads: 1, base: 2, levels: 2 },
    ...{ loss: { terms: ['dice', 'ce', 'boundary'], boundaryWeight: { first: 0.2, last: 0.8 } } },
    ...settings,
  });
}

const losses = async (run: TrainConfig): Promise<number[]> => {
  await train(run);
  return (await readLog(path.join(run.out, 'log.jsonl'))).flatMap((line) =>
    line.kind === 'step' ? [line.loss] : [],
  );
};

describe('a training with the boundary loss', () => {
  it('has the same losses on any mesh, from scans or a store, whole or in patches', async () => {
    const one = await losses(config());
    expect(new Set(one).size).toBe(2);
    expect(await losses(config({ split: { depth: 2, height: 2 } }))).toEqual(one);
    const store = path.join(folder, 'store');
    await preprocess({ data, out: store, window: config().window });
    expect(await losses(config({ data: store, split: { width: 3 } }))).toEqual(one);
    const patch = await losses(config({ patch: [8, 8, 8] }));
    expect(patch).not.toEqual(one);
    expect(await losses(config({ patch: [8, 8, 8], split: { width: 2 } }))).toEqual(patch);
  });

  it('takes several cases in a step, deep supervision and batches that gather', async () => {
    const settings = { batch: 2, deepSupervision: true, accumulate: 2, steps: 2, augmentation: 'strong' };
    const one = await losses(config({ ...settings, levels: 3 }));
    expect(one.every(Number.isFinite)).toBe(true);
    expect(await losses(config({ ...settings, levels: 3, split: { batch: 2, depth: 2 } }))).toEqual(one);
  });
});
