import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { openDataset } from '../dataset/dataset.ts';
import { readScan } from '../formats/scan.ts';
import { spacingOf } from '../volume/volume.ts';
import { writePhantom } from './phantom.ts';

const folder = temporaryFolder();

describe('phantoms of heads', () => {
  it('have four channels, and regions that lie in each other, in every case', async () => {
    const out = path.join(folder, 'heads');
    await writePhantom({ out, size: [30, 32, 28], cases: 3, modality: 'mr', channels: 4, regions: true });
    const { cases, channelNames, labelNames, labelCodes } = await openDataset(out);
    expect(channelNames).toEqual(['T1', 'T1ce', 'T2', 'FLAIR']);
    expect(labelNames).toEqual(['background', 'label 1', 'label 2', 'enhancing tumour']);
    expect(labelCodes?.regions?.map(({ name, classes, written }) => [name, classes, written])).toEqual([
      ['whole tumour', [1, 2, 3], 1],
      ['tumour core', [2, 3], 2],
      ['enhancing tumour', [3], 3],
    ]);
    expect(labelCodes?.classOf).toEqual({ 0: 0, 1: 1, 2: 2, 3: 3 });
    for (const { image, label, channels } of cases) {
      const labels = await readScan(label!);
      expect(spacingOf(labels)).toEqual([6, 6, 6]);
      const counts = [0, 0, 0, 0];
      for (const value of labels.data) counts[value]++;
      expect(Math.min(...counts)).toBeGreaterThan(5);
      const [t1, t1ce] = [await readScan(image), await readScan(channels![1].file)];
      const mean = (data: ArrayLike<number>, value: number): number => {
        const found = [...labels.data.keys()].filter((n) => labels.data[n] === value);
        return found.reduce((sum, n) => sum + data[n], 0) / found.length;
      };
      expect(mean(t1ce.data, 3) / mean(t1ce.data, 2)).toBeGreaterThan(1.8);
      expect(mean(t1.data, 3) / mean(t1.data, 2)).toBeLessThan(1.6);
      // Nothing is seen but the brain.
      const dark = t1.data.filter((value: number) => value === 0).length / t1.data.length;
      expect(dark).toBeGreaterThan(0.4);
      expect(dark).toBeLessThan(0.9);
    }
  });

  it('mark slices that nobody labelled, with the same voxels beside', async () => {
    const options = { size: 16, cases: 1, modality: 'mr', regions: true, seed: 4 } as const;
    const read = async (name: string, ignore: boolean) => {
      const out = path.join(folder, name);
      await writePhantom({ ...options, out, ignore });
      const { cases, labelCodes } = await openDataset(out);
      return {
        codes: labelCodes,
        image: await readScan(cases[0].image),
        labels: await readScan(cases[0].label!),
      };
    };
    const [plain, ignoring] = [await read('plain', false), await read('ignoring', true)];
    expect(ignoring.codes?.classOf).toMatchObject({ 4: 255 });
    expect(ignoring.image.data).toEqual(plain.image.data);
    const left = ignoring.labels.data.filter((value: number) => value === 4).length;
    expect(left % 256).toBe(0);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(2048);
    for (const [n, value] of ignoring.labels.data.entries())
      if (value !== 4) expect(value).toBe(plain.labels.data[n]);
  });

  it('are refused in CT, and slices to ignore without them', async () => {
    const out = path.join(folder, 'refused');
    await expect(writePhantom({ out, size: 8, regions: true })).rejects.toThrow(
      'regions: expected modality mr beside them, found ct',
    );
    await expect(writePhantom({ out, size: 8, modality: 'mr', ignore: true })).rejects.toThrow(
      'ignore: expected regions beside it, found none',
    );
  });
});
