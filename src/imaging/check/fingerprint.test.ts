import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { writeNifti } from '../formats/nifti/nifti-write.ts';
import { fromCanonical } from '../volume/orientation.ts';
import { makeVolume, type VoxelArray } from '../volume/volume.ts';
import { fingerprintDataset } from './fingerprint.ts';
import { IntensityCounter, mergeCounts, summaryOf } from './intensity-counts.ts';

const root = temporaryFolder();
const countsOf = (values: readonly number[]) => {
  const counter = new IntensityCounter();
  for (const value of values) counter.add(value);
  return counter.counts();
};

describe('summaryOf', () => {
  it('has the mean, standard deviation and percentiles of NumPy', () => {
    // numpy.percentile([-5, 0, 1, 1, 2, 40, 1000], [0.5, 5, 25, 50, 75, 95, 99.5]), mean, std
    const { mean, std, percentiles } = summaryOf(countsOf([40, 1, -5, 1000, 0, 2, 1]))!;
    expect(mean).toBeCloseTo(148.42857, 5);
    expect(std).toBeCloseTo(347.93549, 5);
    const expected = [-4.85, -3.5, 0.5, 1, 21, 712, 971.2];
    ['0.5', '5', '25', '50', '75', '95', '99.5'].forEach((p, n) => {
      expect(percentiles[p]).toBeCloseTo(expected[n], 9);
    });
    expect(summaryOf(countsOf([]))).toBeUndefined();
  });

  it('keeps whole numbers of 16 bits exactly and others to 1 in 16384', () => {
    const whole = [-32768, -1024, 4097, 65535];
    expect(countsOf(whole).values.map(([value]) => value)).toEqual(whole);
    for (const value of [0.1, -3.7, 1e-7, 123456.7, 1e9])
      expect(Math.abs(countsOf([value]).values[0][0] / value - 1)).toBeLessThan(1 / 16384);
    const [{ mean }] = [summaryOf(countsOf([0.1, 0.3]))!];
    expect(mean).toBe(0.2);
  });

  it('is the same for counts that were put together', () => {
    const [a, b] = [
      [3, 1, 4, 1.5],
      [1, 5, 9, 1.5],
    ];
    expect(mergeCounts([countsOf(a), countsOf(b)])).toEqual(countsOf([...a, ...b]));
  });
});

describe('fingerprintDataset', () => {
  const shape = [4, 3, 2] as const;
  const affine = (mm: number) => [2, 0, 0, 0, 0, 3, 0, 0, 0, 0, mm, 0, 0, 0, 0, 1];
  const dir = mkdtempSync(path.join(root, 'set-'));
  const write = async (
    id: string,
    mm: number,
    image: VoxelArray,
    labels: readonly number[],
    turned: boolean,
  ) => {
    for (const folder of ['imagesTr', 'labelsTr']) mkdirSync(path.join(dir, folder), { recursive: true });
    const ras = makeVolume(image, shape, affine(mm));
    const scan = turned ? fromCanonical(ras, { axes: [2, 0, 1], flipped: [true, false, false] }) : ras;
    await writeNifti(path.join(dir, 'imagesTr', `${id}.nii`), scan);
    await writeNifti(
      path.join(dir, 'labelsTr', `${id}.nii`),
      makeVolume(Uint8Array.from(labels), shape, affine(mm)),
    );
  };

  it('tells spacings, sizes, shares and intensities of each case and of all', async () => {
    const values = Array.from({ length: 24 }, (_, n) => 10 * n);
    const labels = values.map((_, n) => (n < 2 ? 1 : n === 5 ? 2 : 0));
    await write('a', 5, Int16Array.from(values), labels, false);
    // Stored in another order than its label map.
    await write(
      'b',
      1,
      Int16Array.from(values, (v) => v + 1),
      labels,
      true,
    );
    const names = { labels: { background: 0, liver: 1, tumour: 2, cyst: 3 } };
    writeFileSync(path.join(dir, 'dataset.json'), JSON.stringify(names));
    const print = await fingerprintDataset(dir);
    expect(print.spacing).toEqual({ least: [1, 3, 2], median: [3, 3, 2], most: [5, 3, 2] });
    expect(print.shape.median).toEqual([4, 3, 2]);
    expect(print.orientations).toEqual({ RAS: 1, ASL: 1 });
    const [a, b] = print.cases;
    expect(a.classes.map(({ voxels, share }) => [voxels, share])).toEqual([
      [21, 21 / 24],
      [2, 2 / 24],
      [1, 1 / 24],
      [0, 0],
    ]);
    expect(a.classes[1]).toMatchObject({ name: 'liver', volume: 0.06, intensities: { mean: 5, std: 5 } });
    expect(a.classes[3].intensities).toBeUndefined();
    expect(b.classes[1].intensities?.mean).toBe(6);
    expect(b.foreground?.percentiles['50']).toBe(11);
    expect(print.all.classes[1]).toMatchObject({ voxels: 4, share: 4 / 48, intensities: { mean: 5.5 } });
    expect(print.all.classes[1].volume).toBeCloseTo(0.06 + 0.012, 12);
    expect(print.all.foreground?.percentiles['25']).toBe(3.25);
    // A window of Hounsfield units says nothing of other channels.
    expect(a.clipped).toBe(0);
    writeFileSync(path.join(dir, 'dataset.json'), JSON.stringify({ ...names, channel_names: { 0: 'T1' } }));
    expect((await fingerprintDataset(dir)).cases[0].clipped).toBeUndefined();
  });

  it('refuses a set without label maps, and a case that cannot be read', async () => {
    const empty = mkdtempSync(path.join(root, 'empty-'));
    mkdirSync(path.join(empty, 'imagesTr'));
    await expect(fingerprintDataset(empty)).rejects.toThrow(
      /cases: expected at least one with a label map or a class, found none/,
    );
    writeFileSync(path.join(dir, 'labelsTr', 'b.nii'), 'no image');
    await expect(fingerprintDataset(dir)).rejects.toThrow(/b\.nii: sizeof_hdr/);
  });
});
