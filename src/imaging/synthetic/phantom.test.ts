import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { openDataset } from '../dataset/dataset.ts';
import { readScan } from '../formats/scan.ts';
import { spacingOf } from '../volume/volume.ts';
import { writePhantom } from './phantom.ts';

const folder = temporaryFolder();

/** The mean HU of each label, and how many voxels have it. */
async function summary(image: string, label: string) {
  const [hu, labels] = [await readScan(image), await readScan(label)];
  return [0, 1, 2].map((value) => {
    const voxels = [...hu.data].filter((_, n) => labels.data[n] === value);
    return { count: voxels.length, mean: voxels.reduce((sum, v) => sum + v, 0) / voxels.length };
  });
}

describe('writePhantom', () => {
  it('writes a dataset with liver and darker lesions in every case', async () => {
    const out = path.join(folder, 'set');
    const seen: number[] = [];
    await writePhantom({ out, size: 40, cases: 3, onProgress: ({ slice }) => seen.push(slice) });
    expect(seen.length).toBe(120);
    const dataset = await openDataset(out);
    expect(dataset.labelNames).toEqual(['background', 'liver', 'tumour']);
    expect(dataset.cases.map(({ id }) => id)).toEqual(['phantom_000', 'phantom_001', 'phantom_002']);
    for (const { image, label } of dataset.cases) {
      const [, liver, lesion] = await summary(image, label ?? '');
      expect(liver.count * 0.96 ** 3 * 10).toBeGreaterThan(8000); // ml / 0.1
      expect(lesion.count).toBeGreaterThan(5);
      expect(liver.mean).toBeGreaterThan(45);
      expect(lesion.mean).toBeLessThan(liver.mean - 10);
    }
    const { data, affine } = await readScan(dataset.cases[0].image);
    expect(data).toBeInstanceOf(Int16Array);
    expect(affine[0]).toBeCloseTo(9.6, 5);
    const share = (low: number, high: number) =>
      data.filter((v: number) => v > low && v < high).length / data.length;
    expect(share(-1025, -900)).toBeGreaterThan(0.3); // air
    expect(share(-150, -50)).toBeGreaterThan(0.05); // fat
    expect(share(150, 3000)).toBeGreaterThan(0.005); // bone
  });

  it('gives the same files for the same seed and others for another', async () => {
    const file = (out: string) => path.join(folder, out, 'imagesTr', 'phantom_000.nii.gz');
    for (const [out, seed] of [
      ['a', 5],
      ['b', 5],
      ['c', 6],
    ] as const) {
      await writePhantom({ out: path.join(folder, out), size: 16, cases: 1, seed });
    }
    expect((await readScan(file('a'))).data).toEqual((await readScan(file('b'))).data);
    expect((await readScan(file('a'))).data).not.toEqual((await readScan(file('c'))).data);
  });

  it('takes any shape and spacing and keeps the liver in it', async () => {
    const out = path.join(folder, 'flat');
    await writePhantom({ out, size: [10, 24, 30], cases: 1, spacing: [5, 2, 3] });
    const [{ image, label = '' }] = (await openDataset(out)).cases;
    expect(spacingOf(await readScan(image))).toEqual([5, 2, 3]);
    const [, liver, lesion] = await summary(image, label);
    expect(liver.count).toBeGreaterThan(100);
    expect(lesion.count).toBeGreaterThan(0);
  });

  it('does not overwrite another dataset, and leaves nothing half written', async () => {
    const out = path.join(folder, 'real');
    mkdirSync(out);
    writeFileSync(path.join(out, 'dataset.json'), '{"name": "patients"}');
    await expect(writePhantom({ out, size: 8 })).rejects.toThrow('out: expected no other dataset, found one');
    expect(readFileSync(path.join(out, 'dataset.json'), 'utf8')).toContain('patients');
    const stopped = path.join(folder, 'stopped');
    const onProgress = () => {
      throw new Error('stop');
    };
    await expect(writePhantom({ out: stopped, size: 8, onProgress })).rejects.toThrow('stop');
    expect(readdirSync(stopped, { recursive: true }).sort()).toEqual(['imagesTr', 'labelsTr']);
    await expect(writePhantom({ out: stopped, size: 0 })).rejects.toThrow(
      'size: expected three positive whole',
    );
    await expect(writePhantom({ out: stopped, size: 8, cases: 0 })).rejects.toThrow(
      'cases: expected a whole number',
    );
  });
});
