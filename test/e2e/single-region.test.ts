import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { preprocess, readScan } from '../../src/imaging/index.ts';
import { evaluate, predictFolder } from '../../src/train/index.ts';
import { folder, heads, place, trained, writeHeads } from './regions.testing.ts';

// A single region: several values of label maps that a network tells from all others by one score and its sigmoid.

afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(async () => {
  await writeHeads();
  const file = path.join(heads, 'dataset.json');
  const dataset = JSON.parse(readFileSync(file, 'utf8'));
  const labels = { background: 0, tumour: [1, 2, 3], ignore: 4 };
  writeFileSync(file, JSON.stringify({ ...dataset, labels, regions_class_order: [2] }));
});

describe('a single region', () => {
  it('is trained with the same bits from files and a store over a mesh, predicted and judged', async () => {
    const settings = { steps: 8, learningRate: 0.4 };
    const one = await trained(settings);
    expect(one.kept).toMatchObject({ regions: [{ name: 'tumour', classes: [1, 2, 3], written: 2 }] });
    const [first] = one.lines;
    expect(first.kind === 'step' && Object.keys(first.softDice)).toEqual(['tumour']);
    const store = place('store');
    await preprocess({ data: heads, out: store });
    const split = await trained({ ...settings, data: store, split: { depth: 2, height: 2 } });
    expect(split.told).toEqual(one.told);

    const out = place('out');
    const input = path.join(heads, 'imagesTr');
    const { results } = await predictFolder({
      run: one.run,
      input,
      output: out,
      probabilities: true,
      flips: ['width'],
    });
    const [{ voxels, probabilities, output }] = results;
    const labels = (await readScan(output)).data;
    const soft = (await readScan(probabilities!.tumour)).data;
    expect(Object.keys(probabilities!)).toEqual(['tumour']);
    expect([...labels]).toEqual(Array.from(soft, (p) => (p > 0.5 ? 2 : 0)));
    expect(new Set(labels)).toEqual(new Set([0, 2]));
    expect(voxels.tumour).toBe(labels.filter((value: number) => value === 2).length);

    const { original } = await evaluate({ run: one.run, out: place('judged') });
    expect(Object.keys(original.cases[0].classes)).toEqual(['background', 'tumour']);
    const truth = (await readScan(path.join(heads, 'labelsTr', 'phantom_002.nii.gz'))).data;
    const plain = place('plain');
    await predictFolder({ run: one.run, input, output: plain });
    const found = (await readScan(path.join(plain, 'phantom_002.nii.gz'))).data;
    const count = (isIn: (n: number) => boolean) =>
      [...truth.keys()].filter((n) => truth[n] !== 4 && isIn(n)).length;
    expect(original.cases[0].classes.tumour.trueVoxels).toBe(count((n) => truth[n] > 0));
    expect(original.cases[0].classes.tumour.predictedVoxels).toBe(count((n) => found[n] > 0));
  });
});
