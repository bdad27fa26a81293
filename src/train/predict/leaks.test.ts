import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { writePhantom } from '../../imaging/index.ts';
import { library } from '../../machine/index.ts';
import { resolveConfig } from '../config/config.ts';
import { train } from '../loop/train.ts';
import { predictFolder } from './predict.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-leaks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('50 scans of a folder leave no byte of native memory behind, and none takes more than the one before', async () => {
  const data = path.join(folder, 'data');
  const run = path.join(folder, 'run');
  await writePhantom({ out: data, size: [12, 12, 12], cases: 1 });
  const before = library().held;
  await train(resolveConfig({ base: 2, levels: 2, steps: 1, threads: 1, data, out: run }));
  expect(library().held).toBe(before);
  const input = path.join(folder, 'scans');
  mkdirSync(input);
  const [scan] = readdirSync(path.join(data, 'imagesTr'));
  for (let n = 0; n < 50; n++)
    copyFileSync(path.join(data, 'imagesTr', scan), path.join(input, `scan${n}.nii.gz`));
  const held: number[] = [];
  const { results, faults } = await predictFolder({
    ...{ run, input, output: path.join(folder, 'labels'), threads: 1 },
    onEvent: ({ kind }) => {
      if (kind === 'written') held.push(library().held);
    },
  });
  expect([results.length, faults]).toEqual([50, []]);
  expect(held[0]).toBeGreaterThan(before);
  expect(new Set(held).size).toBe(1);
  expect(library().held).toBe(before);
});
