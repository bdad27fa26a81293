import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readScan, writePhantom } from '../../src/imaging/index.ts';
import { evaluate, predict } from '../../src/train/index.ts';
import { folder, heads, names, place, trained, writeHeads } from './regions.testing.ts';

afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(writeHeads);

describe('regions', () => {
  it('are averaged by their probabilities over flips, blocks and networks', async () => {
    const { run } = await trained({ steps: 6, learningRate: 0.4, seed: 1 });
    const { run: other } = await trained({ steps: 6, learningRate: 0.4, seed: 5 });
    const input = [0, 1, 2, 3]
      .map((n) => path.join(heads, 'imagesTr', `phantom_000_000${n}.nii.gz`))
      .join(',');
    const segment = async (name: string, settings: object) => {
      const output = place(`${name}.nii.gz`);
      const { probabilities } = await predict({ run, input, output, probabilities: true, ...settings });
      const soft = await Promise.all(names.map(async (one) => (await readScan(probabilities![one])).data));
      return { labels: [...(await readScan(output)).data], soft };
    };
    const one = await segment('one', {});
    const two = await segment('two', { run: other });
    const mean = await segment('mean', { ensemble: [other] });
    for (const [r, of] of mean.soft.entries())
      for (let n = 0; n < of.length; n += 97)
        expect(of[n]).toBeCloseTo((one.soft[r][n] + two.soft[r][n]) / 2, 6);
    const flipped = await segment('flipped', { flips: ['width'] });
    for (const { labels, soft } of [mean, flipped])
      expect(labels).toEqual(
        labels.map((_, n) => soft.reduce((value, of, r) => (of[n] > 0.5 ? r + 1 : value), 0)),
      );
    // A limit on memory and a split change nothing.
    const split = await segment('split', { split: { depth: 2, width: 2 } });
    expect(split.labels).toEqual(one.labels);
    const cleaning = { largestComponent: [names[0]] };
    const largest = await segment('largest', { cleaning });
    for (const [n, value] of largest.labels.entries()) if (value > 0) expect(value).toBe(one.labels[n]);
    await expect(
      predict({ run, input, output: place('no.nii.gz'), cleaning: { fillHoles: [names[1]] } }),
    ).rejects.toThrow(
      'fill holes: "tumour core" is a region of several labels; expected one of 2 (label 2), 3 (enhancing tumour)',
    );
  });

  it('train with every loss of theirs, at every resolution, in bfloat16 and in steps of several batches', async () => {
    const deep = { deepSupervision: true, precision: 'bf16', accumulate: 2, bestBy: `dice:${names[1]}` };
    for (const settings of [deep, { loss: { terms: ['tversky', 'bce'], weights: [1, 2, 3] } }]) {
      const { lines } = await trained(settings);
      expect(lines.filter(({ kind }) => kind === 'step')).toHaveLength(3);
      expect(lines.every((line) => !('loss' in line) || Number.isFinite(line.loss))).toBe(true);
    }
  });

  it('are learnt: whole tumours of heads that were held out, over a mesh', async () => {
    const data = place('more');
    await writePhantom({
      out: data,
      size: 24,
      cases: 6,
      modality: 'mr',
      channels: 4,
      regions: true,
      ignore: true,
    });
    const { run } = await trained({
      ...{ data, steps: 60, levels: 3, base: 8, split: { depth: 2, height: 2 } },
      ...{ validation: ['phantom_004', 'phantom_005'], threads: 2 },
    });
    const { original } = await evaluate({ run, surfaces: false });
    expect(original.cases.map(({ id }) => id)).toEqual(['phantom_004', 'phantom_005']);
    expect(original.classes[1].name).toBe('whole tumour');
    expect(original.classes[1].meanDice).toBeGreaterThan(0.8);
  });
});
