import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDataset, preprocess, readScan, writeNifti, writePhantom } from '../../imaging/index.ts';
import { resolveConfig } from '../config/config.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { evaluateLabels } from '../evaluate/evaluate-labels.ts';
import { predict } from '../predict/predict.ts';
import { readLog } from '../record/log.ts';
import { train } from './train.ts';

// Label maps whose values are not the classes: with gaps, standing for others, and to ignore.

const root = mkdtempSync(path.join(tmpdir(), 'halomesh-train-labels-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const plain = path.join(root, 'plain');
/** The same with 2, the tumour, as 4, and what is far up as 9. */
const gaps = path.join(root, 'gaps');
const ignoring = path.join(root, 'ignoring');

/** The data set with every label map changed; `change` sees a label and its place. */
async function changed(to: string, labels: object, change: (label: number, place: number) => number) {
  cpSync(plain, to, { recursive: true });
  const json = path.join(to, 'dataset.json');
  writeFileSync(json, JSON.stringify({ ...JSON.parse(readFileSync(json, 'utf8')), labels }));
  for (const name of readdirSync(path.join(to, 'labelsTr'))) {
    const file = path.join(to, 'labelsTr', name);
    const { data, ...scan } = await readScan(file);
    await writeNifti(file, { ...scan, data: Uint8Array.from(data, change) });
  }
}

beforeAll(async () => {
  await writePhantom({ out: plain, size: [14, 13, 12], cases: 3 });
  await changed(gaps, { background: 0, liver: 1, tumour: 4 }, (label) => (label === 2 ? 4 : label));
  // The lower slices are not labelled.
  await changed(ignoring, { background: 0, liver: 1, tumour: 2, ignore: 9 }, (label, place) =>
    place < 5 * 13 * 12 ? 9 : label,
  );
});

let runs = 0;
async function trained(data: string, settings: object = {}) {
  const config = resolveConfig({
    ...{ data, out: path.join(root, `run${runs++}`), base: 4, levels: 2, steps: 2, threads: 1 },
    ...{ checkpointEvery: 2, validation: ['phantom_002'], augmentation: 'none', ...settings },
  });
  await train(config);
  const lines = await readLog(path.join(config.out, 'log.jsonl'));
  const losses = lines.flatMap((line) => (line.kind === 'warning' ? [] : [line.loss]));
  return { config, losses, run: JSON.parse(readFileSync(path.join(config.out, 'config.json'), 'utf8')) };
}

describe('labels with gaps', () => {
  it('train with the bits of labels without, from files and from a store, and come back in segmentations', async () => {
    const expected = await trained(plain);
    const found = await trained(gaps);
    expect(found.losses).toEqual(expected.losses);
    expect(found.run).toMatchObject({ classes: ['background', 'liver', 'tumour'], classValues: [0, 1, 4] });
    const store = path.join(root, 'store');
    await preprocess({ data: gaps, out: store });
    const stored = await trained(store);
    expect(stored.losses).toEqual(expected.losses);
    expect(stored.run).toMatchObject({ classValues: [0, 1, 4] });
    await expect(preprocess({ data: gaps, out: store, mapLabels: { 4: 1 } })).rejects.toThrow(
      'preprocessing: expected labels',
    );
    await expect(trained(store, { mapLabels: { 4: 1 } })).rejects.toThrow(
      'Give --map-labels to halomesh pre',
    );

    const segment = async (run: string, name: string, flips?: ['width']) => {
      const input = path.join(gaps, 'imagesTr', `${name}.nii.gz`);
      const output = path.join(run, 'out', `${name}.nii.gz`);
      const { voxels } = await predict({ run, input, output, flips, checkpoint: 'latest' });
      return { voxels, values: [...(await readScan(output)).data] };
    };
    const one = await segment(expected.config.out, 'phantom_002');
    for (const flips of [undefined, ['width'] as ['width']]) {
      const other = flips ? await segment(expected.config.out, 'phantom_000', flips) : one;
      const same = await segment(found.config.out, flips ? 'phantom_000' : 'phantom_002', flips);
      expect(same.voxels).toEqual(other.voxels);
      expect(same.values).toEqual(other.values.map((label) => (label === 2 ? 4 : label)));
    }
    const judged = await evaluate({ run: found.config.out });
    expect(judged.original.cases).toEqual((await evaluate({ run: expected.config.out })).original.cases);
    const compared = await evaluateLabels({
      predictions: path.join(found.config.out, 'out'),
      data: gaps,
      cases: ['phantom_002'],
    });
    expect(compared.original.cases[0].id).toBe('phantom_002');
  });

  it('stand for others on request', async () => {
    const two = { mapLabels: { 4: 1 } };
    const merged = await trained(gaps, two);
    expect(merged.run).toMatchObject({ classes: ['background', 'liver'], classValues: [0, 1] });
    const { losses } = await trained(plain, { mapLabels: { 2: 1 } });
    expect(merged.losses).toEqual(losses);
    const { original } = await evaluate({ run: merged.config.out });
    expect(Object.keys(original.cases[0].classes)).toEqual(['background', 'liver']);
    await expect(trained(plain, { mapLabels: { 2: 5 } })).rejects.toThrow('found 2=5');
  });
});

describe('a label to ignore', () => {
  it('hides what lies there from the loss, on every mesh and at every resolution', async () => {
    const one = await trained(ignoring);
    expect(one.run).toMatchObject({ ignore: true, classes: ['background', 'liver', 'tumour'] });
    expect((await trained(plain)).losses[0]).not.toBeCloseTo(one.losses[0], 3);
    expect((await trained(ignoring, { split: { depth: 2 } })).losses).toEqual(one.losses);
    const deep = await trained(ignoring, { deepSupervision: true, precision: 'bf16' });
    expect(deep.losses.every(Number.isFinite)).toBe(true);
  });

  it('counts nowhere in an evaluation, drawn from files or a store', async () => {
    const { config, losses } = await trained(ignoring);
    const out = path.join(root, 'judged');
    const { original, prepared } = await evaluate({ run: config.out, out });
    const store = path.join(root, 'ignoring-store');
    await preprocess({ data: ignoring, out: store });
    const stored = await trained(store);
    expect(stored.losses).toEqual(losses);
    expect((await evaluate({ run: stored.config.out })).original.cases).toEqual(original.cases);
    const counted = await evaluate({ run: config.out, surfaces: false });
    expect(counted.prepared.cases).toEqual(prepared.cases);
    // All voxels of the background, true or not, are those of the upper slices.
    const { liver } = counted.prepared.cases[0].classes;
    expect(liver.trueVoxels).toBeGreaterThan(0);
    const [entry] = (await openDataset(plain)).cases.slice(2);
    const truth = (await readScan(entry.label!)).data.subarray(5 * 13 * 12);
    expect(liver.trueVoxels).toBe(truth.filter((label) => label === 1).length);
  });
});
