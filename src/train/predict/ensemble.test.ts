import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readScan, writePhantom } from '../../imaging/index.ts';
import { resolveConfig } from '../config/config.ts';
import { train } from '../loop/train.ts';
import { predict } from './predict.ts';
import type { PredictOptions } from './predict-options.ts';

const root = mkdtempSync(path.join(tmpdir(), 'halomesh-ensemble-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const data = path.join(root, 'data');
const input = path.join(data, 'imagesTr', 'phantom_000.nii.gz');
const run = (name: string): string => path.join(root, name);

beforeAll(async () => {
  await writePhantom({ out: data, size: [14, 13, 12], cases: 2 });
  for (const [n, name] of ['a', 'b', 'c', 'other'].entries())
    await train(
      resolveConfig({
        ...{ data, out: run(name), base: n === 1 ? 6 : 4, levels: 2, steps: 3, threads: 1, seed: n },
        ...(name === 'other' && { window: { lower: -100, upper: 200 } }),
      }),
    );
});

const NAMES = ['background', 'liver', 'tumour'];

async function segmented(name: string, options: Partial<PredictOptions>) {
  const output = path.join(root, 'out', `${name}.nii.gz`);
  const found = await predict({
    run: run('a'),
    input,
    output,
    probabilities: true,
    overwrite: true,
    ...options,
  });
  const soft = await Promise.all(NAMES.map(async (cls) => (await readScan(found.probabilities![cls])).data));
  return { labels: (await readScan(output)).data, soft, found };
}

describe('an ensemble', () => {
  it('is the mean of the probabilities of its runs', async () => {
    const all = ['a', 'b', 'c'];
    const single: Awaited<ReturnType<typeof segmented>>[] = [];
    for (const name of all) single.push(await segmented(name, { run: run(name) }));
    const passes: string[] = [];
    const { labels, soft } = await segmented('all', {
      ensemble: [run('b'), run('c')],
      onEvent: (event) => {
        if (event.kind === 'pass') passes.push(`${event.done}/${event.passes}`);
      },
    });
    expect(passes).toEqual(['1/3', '2/3', '3/3']);
    let differs = 0;
    for (let v = 0; v < labels.length; v++) {
      const mean = NAMES.map((_, c) => single.reduce((sum, one) => sum + one.soft[c][v], 0) / 3);
      for (const [c, p] of mean.entries()) expect(Math.abs(soft[c][v] - p)).toBeLessThan(1e-6);
      const sorted = mean.toSorted((x, y) => y - x);
      if (sorted[0] - sorted[1] > 1e-6) expect(labels[v]).toBe(mean.indexOf(sorted[0]));
      if (single.some((one) => one.labels[v] !== labels[v])) differs++;
    }
    expect(differs).toBeGreaterThan(0);
    const flipped = await segmented('flipped', { ensemble: [run('b')], flips: ['width'] });
    expect(flipped.soft[0].every(Number.isFinite)).toBe(true);
  });

  it('of one run twice is that run', async () => {
    const one = await segmented('one', { run: run('b') });
    const twice = await segmented('twice', { run: run('b'), ensemble: [run('b')] });
    expect(twice.labels).toEqual(one.labels);
    expect(twice.soft).toEqual(one.soft);
    expect(twice.found.voxels).toEqual(one.found.voxels);
  });

  it('is not written over a file of any of its runs', async () => {
    const output = path.join(root, 'linked.nii.gz');
    symlinkSync(path.join(run('b'), 'checkpoints/latest.safetensors'), output);
    const before = readFileSync(output);
    const twice = predict({ run: run('a'), ensemble: [run('b')], input, output, overwrite: true });
    await expect(twice).rejects.toThrow(/linked.nii.gz/);
    expect(readFileSync(output)).toEqual(before);
  });

  it('refuses runs that see scans in another way', async () => {
    await expect(segmented('wrong', { ensemble: [run('other')] })).rejects.toThrow(
      /other: another "window" than .*a; expected/,
    );
  });
});
