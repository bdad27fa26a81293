import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { openDataset } from '../dataset/dataset.ts';
import { writeNifti } from '../formats/nifti/nifti-write.ts';
import { readScan } from '../formats/scan.ts';
import { voxelCount } from '../volume/volume.ts';
import { writeFakeLesions } from './fake-lesions.ts';

const folder = temporaryFolder();
const data = path.join(folder, 'data');
const shape = [24, 20, 28] as const;
// Stored from left to right, front to back.
const affine = [-2, 0, 0, 5, 0, -2, 0, 6, 0, 0, 3, 7, 0, 0, 0, 1];
const names = { 0: 'background', 1: 'liver', 2: 'tumour' };

const labels = Uint8Array.from({ length: voxelCount(shape) }, (_, n) => {
  const [k, j, i] = [Math.floor(n / 560) - 12, (Math.floor(n / 28) % 20) - 10, (n % 28) - 14];
  if (Math.hypot(k, j - 2, i + 3) < 4) return 2;
  return Math.hypot(k, j, i) < 9 ? 1 : 0;
});
const hu = Int16Array.from(labels, (label, n) => [-100, 110, 50][label] + (n % 5));

beforeAll(async () => {
  mkdirSync(path.join(data, 'imagesTr'), { recursive: true });
  mkdirSync(path.join(data, 'labelsTr'), { recursive: true });
  const write = async (id: string, image: Int16Array, map: Uint8Array) => {
    await writeNifti(path.join(data, 'imagesTr', `${id}.nii.gz`), { data: image, shape, affine });
    await writeNifti(path.join(data, 'labelsTr', `${id}.nii.gz`), { data: map, shape, affine });
  };
  await write('a', hu, labels);
  await write(
    'b',
    hu,
    labels.map((label) => Math.min(label, 1)),
  );
  await write('c', hu, labels);
  writeFileSync(path.join(data, 'dataset.json'), JSON.stringify({ name: 'livers', labels: names }));
});

describe('writeFakeLesions', () => {
  it('writes a data set on the same grids, in the same types, with other lesions', async () => {
    const out = path.join(folder, 'all');
    const reports = await writeFakeLesions({ data, out, probability: 1 });
    expect(reports.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['a', 'made'],
      ['b', 'no lesion'],
      ['c', 'made'],
    ]);
    const written = await openDataset(out);
    expect(written.cases.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(written.labelNames).toEqual(['background', 'liver', 'tumour']);
    const image = await readScan(written.cases[0].image);
    const map = await readScan(written.cases[0].label!);
    expect(image.shape).toEqual(shape);
    expect(image.affine).toEqual(affine);
    expect(image.data).toBeInstanceOf(Int16Array);
    const mean = (chosen: (n: number) => boolean) => {
      const values = [...image.data].filter((_, n) => chosen(n));
      return values.reduce((sum, value) => sum + value, 0) / values.length;
    };
    expect(Math.abs(mean((n) => labels[n] === 2 && map.data[n] === 1) - 112)).toBeLessThan(15);
    expect(mean((n) => map.data[n] === 2)).toBeLessThan(85);
    const count = map.data.filter((label) => label === 2).length;
    expect(reports[0]).toMatchObject({ before: labels.filter((label) => label === 2).length, after: count });
    expect([...map.data].every((label, n) => label > 0 === labels[n] > 0)).toBe(true);
    // The lesions of two cases differ, and what cannot be changed is the same voxel for voxel.
    expect((await readScan(written.cases[2].label!)).data).not.toEqual(map.data);
    expect((await readScan(written.cases[1].image)).data).toEqual(hu);
  });

  it('gives the same files for the same seed, and leaves cases as they are by chance', async () => {
    const bytes = async (out: string, seed: number, probability: number) => {
      const reports = await writeFakeLesions({ data, out: path.join(folder, out), seed, probability });
      const files = ['a', 'c'].map((id) => (n: string) => path.join(folder, out, n, `${id}.nii.gz`));
      return { reports, maps: files.map((at) => readFileSync(at('labelsTr')).toString('base64')) };
    };
    const first = await bytes('one', 4, 1);
    expect(await bytes('again', 4, 1)).toEqual(first);
    expect((await bytes('other', 5, 1)).maps).not.toEqual(first.maps);
    const left = await bytes('left', 4, 0);
    expect(left.reports.every(({ outcome, before, after }) => outcome === 'left' && before === after)).toBe(
      true,
    );
  });

  it('writes classes where the values of labels have gaps, and refuses labels that are ignored', async () => {
    const gaps = path.join(folder, 'gaps');
    for (const dir of ['imagesTr', 'labelsTr']) mkdirSync(path.join(gaps, dir), { recursive: true });
    const map = labels.map((label) => (label === 2 ? 4 : label));
    await writeNifti(path.join(gaps, 'imagesTr/a.nii.gz'), { data: hu, shape, affine });
    await writeNifti(path.join(gaps, 'labelsTr/a.nii.gz'), { data: map, shape, affine });
    const describe = (named: object) =>
      writeFileSync(path.join(gaps, 'dataset.json'), JSON.stringify({ name: 'livers', labels: named }));
    describe({ background: 0, liver: 1, tumour: 4 });
    const [of4] = await writeFakeLesions({ data: gaps, out: path.join(folder, 'of4'), probability: 1 });
    const [of2] = await writeFakeLesions({ data, out: path.join(folder, 'of2'), probability: 1 });
    expect(of4).toEqual(of2);
    const bytes = (out: string) => readFileSync(path.join(folder, out, 'labelsTr/a.nii.gz'));
    expect(bytes('of4')).toEqual(bytes('of2'));
    describe({ background: 0, liver: 1, tumour: 2 });
    const patterns = { images: 'imagesTr/*.nii.gz', labels: 'labelsTr/*.nii.gz', mapLabels: { 4: 2 } };
    const mapped = { data: gaps, out: path.join(folder, 'mapped'), probability: 1, ...patterns };
    expect(await writeFakeLesions(mapped)).toEqual([of2]);
    expect(bytes('mapped')).toEqual(bytes('of2'));
    const ignored = { ...mapped, mapLabels: { 4: 'ignore' as const }, overwrite: true };
    await expect(writeFakeLesions(ignored)).rejects.toThrow(/found a label that is ignored.*--map-labels/s);
    describe({ background: 0, liver: 1, tumour: 2, ignore: 4 });
    const refused = writeFakeLesions({ data: gaps, out: path.join(folder, 'ignoring') });
    await expect(refused).rejects.toThrow(/expected a class for every voxel, found a label that is ignored/);
  });

  it('refuses a folder with a data set, and a class that the data set does not have', async () => {
    const out = path.join(folder, 'refused');
    await expect(writeFakeLesions({ data, out: data })).rejects.toThrow(/the output is a file that is read/);
    await expect(writeFakeLesions({ data, out, lesion: 3 })).rejects.toThrow(
      'lesion: expected one of 0 background, 1 liver, 2 tumour, found 3',
    );
    expect(existsSync(out)).toBe(false);
  });
});
