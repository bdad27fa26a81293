import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { range } from '../../core/index.ts';
import {
  augmentBox,
  openDataset,
  type Shape3,
  SignedDistances,
  wholeBox,
  writePhantom,
} from '../../imaging/index.ts';
import { alone } from '../../machine/index.ts';
import { resolveConfig, type TrainConfig } from '../config/config.ts';
import { augmentationOf, prepareOptions } from '../config/model.ts';
import { boundaryWeightOf } from '../config/task/boundary.ts';
import { readLog } from '../record/log.ts';
import { boundaryFeed } from '../samples/boundary-feed.ts';
import { CaseReader } from '../samples/case-reader.ts';
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

it('weighs more from the first step to the last', () => {
  const run = config({ steps: 3 });
  expect([0, 1, 2, 3].map((step) => boundaryWeightOf(run, step))).toEqual([0.2, 0.5, 0.8, 0.8]);
  const plain = config({ loss: { terms: ['dice', 'boundary'] }, steps: 50 });
  expect([0, 49].map((step) => boundaryWeightOf(plain, step))).toEqual([0.01, 0.5]);
  expect(() => config({ slices: 3 })).toThrow(
    'expected losses of labels alone beside slices, found boundary',
  );
});

it('takes the distances of the changed labels of the whole, on the grid of the case', async () => {
  const run = config();
  const dataset = await openDataset(data);
  const entry = { ...dataset.cases[0], labelNames: dataset.labelNames };
  const reader = new CaseReader(prepareOptions(run), 1, alone(1));
  const source = await reader.source(entry);
  const { shape } = source;
  const key = { seed: 5, caseIndex: 0, step: 2 };
  const start: Shape3 = [1, 2, 3];
  const sample = { source: async () => source, key, start, where: 'here', entry };
  const regions = [[], [1], [2]];
  const feed = boundaryFeed([sample], run, regions);
  if (!('read' in feed)) throw new Error('no reader');
  const box = [range(0, 1), range(2, 6), range(0, 9), range(1, 5), range(1, 3)];
  const found = (await feed.read(box)) as Float32Array;
  const { labels } = await augmentBox(source, augmentationOf(run), key);
  expect(labels).not.toEqual(await source.labels(wholeBox(shape)));
  const whole = new SignedDistances(labels!, shape, [3, 2, 2.5], { regions });
  const there = { start: [3, 2, 4], end: [7, 11, 8] } as const;
  const expected = whole.read(there, 1, 3);
  expect(found.length).toBe(expected.length);
  for (const [at, value] of expected.entries()) expect(found[at]).toBeCloseTo(value, 3);
  expect(Math.min(...found)).toBeLessThan(0);
});

it('a training has the same losses on a mesh', async () => {
  const one = await losses(config());
  expect(new Set(one).size).toBe(2);
  expect(await losses(config({ split: { depth: 2, height: 2 } }))).toEqual(one);
});
