import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  fingerprintDataset,
  openDataset,
  preprocess,
  readScan,
  verifyDataset,
} from '../../src/imaging/index.ts';
import { evaluate, evaluateLabels, predictFolder } from '../../src/train/index.ts';
import { classes, folder, heads, names, place, trained, writeHeads } from './regions.testing.ts';

// From the files to the scores.

afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(writeHeads);

let run: string;

describe('labels that are regions', () => {
  it('are verified and counted by the values of the files', async () => {
    const { findings } = await verifyDataset(heads);
    expect(findings.filter(({ level }) => level === 'fault')).toEqual([]);
    const { all } = await fingerprintDataset(heads);
    expect(all.classes.map(({ name }) => name)).toEqual(classes);
  });

  it('train with the same bits from files and a store, whole and over a mesh, and tell each region', async () => {
    const settings = { steps: 8, learningRate: 0.4 };
    const one = await trained(settings);
    expect(one.kept).toMatchObject({
      classes,
      classValues: [0, 1, 2, 3],
      ignore: true,
      regions: [
        { name: names[0], classes: [1, 2, 3], written: 1 },
        { name: names[1], classes: [2, 3], written: 2 },
        { name: names[2], classes: [3], written: 3 },
      ],
    });
    for (const line of one.lines) if ('dice' in line) expect(Object.keys(line.dice)).toEqual(names);
    const [first] = one.lines;
    expect(first.kind === 'step' && Object.keys(first.softDice)).toEqual(names);
    const store = place('store');
    await preprocess({ data: heads, out: store });
    expect((await trained({ ...settings, data: store, split: { depth: 2, height: 2 } })).told).toEqual(
      one.told,
    );
    run = one.run;
  });

  it('are judged one by one, and written in their order', async () => {
    const out = place('out');
    const { results } = await predictFolder({
      run,
      input: path.join(heads, 'imagesTr'),
      output: out,
      probabilities: true,
    });
    const [{ voxels, probabilities, output }] = results;
    expect(Object.keys(voxels)).toEqual(['background', ...names]);
    expect(Object.keys(probabilities ?? {})).toEqual(names);
    const labels = (await readScan(output)).data;
    const soft = await Promise.all(names.map(async (name) => (await readScan(probabilities![name])).data));
    const wanted = Uint8Array.from(labels, (_, n) =>
      soft.reduce((value, of, region) => (of[n] > 0.5 ? region + 1 : value), 0),
    );
    expect(new Set(wanted).size).toBeGreaterThan(1);
    expect([...labels]).toEqual([...wanted]);
    const counted = names.map((_, r) => labels.filter((value: number) => value > r).length);
    expect(names.map((name) => voxels[name])).toEqual(counted);

    const judged = await evaluate({ run, out: place('judged') });
    expect(existsSync(place('judged', 'overlays', 'phantom_002.png'))).toBe(true);
    expect(Object.keys(judged.original.cases[0].classes)).toEqual(['background', ...names]);
    expect(judged.settings.lesion).toBe(names[0]);
    const same = await evaluateLabels({ predictions: out, data: heads, cases: ['phantom_002'] });
    const { kind: _, ...expected } = judged.original.cases[0];
    expect(same.original.cases).toEqual([expected]);
    // By hand, of what is not ignored.
    const [entry] = (await openDataset(heads)).cases.slice(2);
    const truth = (await readScan(entry.label!)).data;
    const found = (await readScan(path.join(out, 'phantom_002.nii.gz'))).data;
    for (const [r, name] of names.entries()) {
      const count = (inside: (n: number) => boolean): number =>
        [...truth.keys()].filter((n) => truth[n] !== 4 && inside(n)).length;
      const [t, p] = [(n: number) => truth[n] > r, (n: number) => found[n] > r];
      const scores = judged.original.cases[0].classes[name];
      expect(scores.sharedVoxels).toBe(count((n) => t(n) && p(n)));
      expect(scores.trueVoxels).toBe(count(t));
      expect(scores.predictedVoxels).toBe(count(p));
    }
    const counts = await evaluate({ run, surfaces: false });
    expect(counts.prepared.cases[0].dice).toEqual(judged.original.cases[0].dice);
  });

  it('take losses of regions alone', async () => {
    await expect(trained({ loss: { terms: ['dice', 'ce'] } })).rejects.toThrow(
      'loss: terms for regions that may overlap; expected one or several of dice, case-dice, batch-dice, tversky, bce, boundary, found dice, ce',
    );
    await expect(trained({ loss: { dice: [1] } })).rejects.toThrow('config "loss.dice": names classes');
    await expect(trained({ bestBy: 'dice:label 1' })).rejects.toThrow(
      `expected ${names.join(', ')}, found label 1`,
    );
  });
});
