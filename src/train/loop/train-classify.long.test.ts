import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeSpotted } from '../../../test/spotted.ts';
import { preprocess } from '../../imaging/index.ts';
import { resolveConfig, type TrainConfig } from '../config/config.ts';
import { compareImageRuns } from '../cross/compare-images.ts';
import { crossValidate } from '../cross/cross-validate.ts';
import { numbersOf } from './run-numbers.testing.ts';
import { train } from './train.ts';

// Trainings on images of one label give the same numbers whatever they are cut into, read from, or broken off at.

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-train-classify-long-'));
const at = (name: string): string => path.join(folder, name);
beforeAll(async () => {
  await writeSpotted(at('volumes'), 8);
  await writeSpotted(at('large'), 3, { size: [40, 72, 80] });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
function config(settings: object = {}): TrainConfig {
  const out = at(`run${made++}`);
  return resolveConfig({
    ...{ task: 'classify', data: at('volumes'), out, base: 4, levels: 2, steps: 2, threads: 1, batch: 2 },
    ...{ validation: ['image_02'], checkpointEvery: 2, ...settings },
  });
}

async function numbers(run: TrainConfig): Promise<unknown> {
  await train(run);
  return numbersOf(run);
}

it('in parts of depth, batch and channels', async () => {
  const expected = await numbers(config());
  for (const split of [{ depth: 2 }, { depth: 2, height: 2, width: 2 }, { batch: 2 }, { channel: 2 }])
    expect(await numbers(config({ split }))).toEqual(expected);
});

it('under a memory limit that asks for parts', async () => {
  const large = { data: at('large'), base: 16, batch: 1 };
  const peaks: number[] = [];
  const runs: unknown[] = [];
  for (const share of [undefined, 0.94]) {
    const run = config({ ...large, memoryLimit: share && Math.round(share * peaks[0]) });
    await train(run, {
      onEvent: (event) => {
        if (event.kind === 'start') peaks.push(event.plan.predictedPeakBytes);
      },
    });
    runs.push(await numbersOf(run));
  }
  expect(peaks[1]).toBeLessThanOrEqual(0.94 * peaks[0]);
  expect(runs[1]).toEqual(runs[0]);
});

it('in one go and resumed, with batches whose gradients are averaged and classes as often as each other', async () => {
  const gathered = { accumulate: 2, sampling: 'balanced', steps: 4 };
  const expected = await numbers(config(gathered));
  const run = config(gathered);
  const stop = new AbortController();
  const onEvent = (event: { readonly kind: string }): void => {
    if (event.kind === 'checkpoint') stop.abort();
  };
  expect((await train(run, { signal: stop.signal, onEvent })).step).toBe(2);
  await train(run, { resume: true });
  expect(await numbersOf(run)).toEqual(expected);
});

it('from a store, and from a table of labels', async () => {
  const expected = await numbers(config({ batch: 1 }));
  await preprocess({ data: at('volumes'), out: at('store') });
  expect(await numbers(config({ batch: 1, data: at('store') }))).toEqual(expected);
  await writeSpotted(at('apart'), 8, { described: false });
  const imageLabels = path.join(at('apart'), 'labels.csv');
  expect(await numbers(config({ batch: 1, data: at('apart'), imageLabels }))).toEqual(expected);
  await preprocess({ data: at('apart'), imageLabels, out: at('store of a table') });
  expect(await numbers(config({ batch: 1, data: at('store of a table') }))).toEqual(expected);
});

it('in folds, of which one summary tells every image by the run that did not see it', async () => {
  const all = config({ validation: undefined, out: at('folds') });
  const found = await crossValidate({ config: all, folds: 2 });
  if (!('task' in found)) throw new Error('of images');
  expect(found.images.map(({ id }) => id).sort()).toEqual(Array.from({ length: 8 }, (_, n) => `image_0${n}`));
  expect(found.folds.map(({ images }) => images)).toEqual([4, 4]);
  expect(found.auc).toBeGreaterThanOrEqual(0);
  expect(readFileSync(at('folds/summary.md'), 'utf8')).toContain('8 images in 2 folds');
  expect(compareImageRuns(at('folds'), at('folds/fold_0'))).toMatchObject({ images: 4 });
});
