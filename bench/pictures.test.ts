import { expect, it } from 'vitest';
import { type Row, tableOf } from './pictures.ts';

const row = (plane: boolean, seconds: number[], failed?: string): Row => ({
  ...{ plane, size: plane ? 256 : 48, precision: 'f32', seconds, failed },
  gflop: plane ? 30 : 100,
});

it('gives the speed of pictures as a multiple of that of volumes', () => {
  const lines = tableOf([row(false, [1, 2, 3]), row(true, [0.5])]).split('\n');
  expect(lines[2]).toMatch(/volume, 48\^3 +\| f32 +\| +2\.00 \| +100 \| +50\.0 \| +\|$/);
  expect(lines[3]).toMatch(/picture, 256\^2 +\| f32 +\| +0\.500 \| +30\.0 \| +60\.0 \| +1\.20x \|$/);
});

it('says why a step is missing, and compares with none that is', () => {
  const text = tableOf([row(false, [], 'out of memory'), row(true, [1])]);
  expect(text).toContain('out of memory');
  expect(text).not.toContain('x |');
});
