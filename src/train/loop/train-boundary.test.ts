import { expect, it } from 'vitest';
import { range } from '../../core/index.ts';
import { augmentBox, openDataset, type Shape3, SignedDistances, wholeBox } from '../../imaging/index.ts';
import { alone } from '../../machine/index.ts';
import { augmentationOf, prepareOptions } from '../config/model.ts';
import { boundaryWeightOf } from '../config/task/boundary.ts';
import { boundaryFeed } from '../samples/boundary-feed.ts';
import { CaseReader } from '../samples/case-reader.ts';
import { boundaryRuns } from './boundary.testing.ts';

const { data, config, losses } = boundaryRuns();

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
