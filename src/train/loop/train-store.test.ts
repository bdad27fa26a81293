import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { preprocess, writePhantom } from '../../imaging/index.ts';
import { resolveConfig, type TrainConfig } from '../config/config.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { readLog } from '../record/log.ts';
import { train } from './train.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-train-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const data = path.join(folder, 'data');
beforeAll(() => writePhantom({ out: data, size: [20, 17, 18], cases: 3 }));

let made = 0;
async function storeOf(options: { spacing?: number; size?: number }): Promise<string> {
  const out = path.join(folder, `store${made++}`);
  await preprocess({ data, out, ...options });
  return out;
}

function config(settings: object): TrainConfig {
  const out = path.join(folder, `run${made++}`);
  return resolveConfig({
    ...{ out, base: 2, levels: 2, steps: 4, threads: 1, checkpointEvery: 2, augmentation: 'paper' },
    ...{ validation: ['phantom_002'], ...settings },
  });
}

/** All numbers of a log but times. */
async function numbers(run: TrainConfig): Promise<unknown[]> {
  await train(run);
  const lines = await readLog(path.join(run.out, 'log.jsonl'));
  return lines.map((line) => ({ ...line, seconds: 0, peakRssBytes: 0, bytesSent: 0 }));
}

describe('a training from a store', () => {
  it.each([
    [{}, {}],
    [{ size: 12 }, { batch: 2 }],
    [{ spacing: 30 }, { split: { depth: 2, width: 2 } }],
    [{}, { patch: [9, 12, 40], batch: 2, split: { height: 2 } }],
  ])('%j gives the numbers of one from the files, to the last digit, with %j', async (options, settings) => {
    const expected = await numbers(config({ data, ...options, ...settings, split: undefined }));
    const stored = config({ data: await storeOf(options), ...settings });
    expect(await numbers(stored)).toEqual(expected);
    // The network finds its way to scans that lie elsewhere.
    const [own, files] = [await evaluate({ run: stored.out }), await evaluate({ run: stored.out, data })];
    expect({ ...own, data: '' }).toEqual({ ...files, data: '' });
  });

  it('resumes without its size, and refuses another', async () => {
    const store = await storeOf({ size: 10 });
    const run = config({ data: store, steps: 1 });
    await train(run);
    expect(await train({ ...run, steps: 2 }, { resume: true })).toMatchObject({ step: 2 });
    await expect(train(config({ data: store, size: 12 }))).rejects.toThrow(
      'the store was preprocessed in another way; expected size 12, window -160,240, found size 10, all HU',
    );
    expect(readdirSync(store)).not.toContain('checkpoints');
  });
});
