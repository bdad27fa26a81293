import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeSlices } from '../../../test/imaging/dicom-fixture.ts';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { writeNifti } from '../formats/nifti/nifti-write.ts';
import { preprocess } from '../preprocess/preprocess-dataset.ts';
import { ImagingError } from '../volume/errors.ts';
import { fromCanonical, type Orientation } from '../volume/orientation.ts';
import { makeVolume, type Volume } from '../volume/volume.ts';
import { verifyDataset } from './verify.ts';
import type { Finding } from './verify-case.ts';

const root = temporaryFolder();
const shape = [10, 9, 8] as const;
const affine = [2, 0, 0, -8, 0, 2, 0, -9, 0, 0, 3, 30, 0, 0, 0, 1];

/** A scan in HU; another seed gives another one. */
const scan = (seed: number): Volume<Int16Array> =>
  makeVolume(
    Int16Array.from({ length: 720 }, (_, n) => ((n * 37 + seed * 101) % 1500) - 1000),
    shape,
    affine,
  );
/** Background, and a block of label 1. */
const truth = (value = 1): Volume<Uint8Array> =>
  makeVolume(
    Uint8Array.from({ length: 720 }, (_, n) => (n > 300 && n < 400 ? value : 0)),
    shape,
    affine,
  );

/** Writes a data set with these cases and gives its folder. */
async function dataset(
  cases: Readonly<Record<string, readonly [Volume, Volume]>>,
  json: object = { labels: { background: 0, liver: 1 } },
): Promise<string> {
  const dir = mkdtempSync(path.join(root, 'set-'));
  for (const folder of ['imagesTr', 'labelsTr', 'imagesTs']) mkdirSync(path.join(dir, folder));
  for (const [id, [image, label]] of Object.entries(cases)) {
    await writeNifti(path.join(dir, 'imagesTr', `${id}.nii.gz`), image);
    await writeNifti(path.join(dir, 'labelsTr', `${id}.nii.gz`), label);
  }
  writeFileSync(path.join(dir, 'dataset.json'), JSON.stringify(json));
  return dir;
}

const inWords = ({ level, file, field, expected, found }: Finding): string =>
  `${level} ${file === undefined ? '' : path.basename(file)} ${field}: ${expected}; ${found}`;

/** What is said of a case, or of the data set. */
async function said(dir: string, id?: string): Promise<string[]> {
  const { findings, cases } = await verifyDataset(dir);
  const about = id === undefined ? findings : cases.find((report) => report.id === id)!.findings;
  return about.map(inWords);
}

const irp: Orientation = { axes: [1, 2, 0], flipped: [false, true, true] };

describe('verifyDataset', () => {
  it('finds nothing wrong with a sound set, of mixed orientations, in natural order', async () => {
    const turned = fromCanonical(truth(), irp);
    const dir = await dataset({
      image_10: [scan(1), turned],
      image_2: [fromCanonical(scan(2), irp), truth()],
    });
    const done: string[] = [];
    const report = await verifyDataset(dir, { onCase: (id, n, all) => done.push(`${id} ${n}/${all}`) });
    expect(report).toMatchObject({
      faults: 0,
      warnings: 0,
      findings: [],
      labelNames: ['background', 'liver'],
    });
    expect(report.cases.map(({ id }) => id)).toEqual(['image_2', 'image_10']);
    expect(report.cases[1]).toEqual({
      ...{ id: 'image_10', kind: 'training', format: 'NIfTI', shape, spacing: [3, 2, 2], orientation: 'RAS' },
      ...{ range: [-999, 498], labels: { 0: 621, 1: 99 }, findings: [] },
    });
    expect(report.cases[0].orientation).toBe('IRP');
    expect(done.map((line) => line.split(' ')[1])).toEqual(['1/2', '2/2']);
  });

  it('finds every fault of a set, whatever comes before', async () => {
    const notFinite = makeVolume(Float32Array.from(scan(3).data), shape, affine);
    notFinite.data[100] = Number.NaN;
    notFinite.data[200] = Number.POSITIVE_INFINITY;
    const moved = { ...truth(), affine: affine.map((value, n) => (n === 11 ? value + 3 : value)) };
    const flat = makeVolume(new Int16Array(720).fill(7), shape, affine);
    const half = makeVolume(
      Float32Array.from(truth().data, (v) => v / 2),
      shape,
      affine,
    );
    const dir = await dataset({
      a: [scan(1), truth()],
      cut: [scan(2), truth()],
      nan: [notFinite, truth()],
      other: [scan(4), truth(7)],
      broken: [scan(5), half],
      moved: [scan(6), moved],
      flat: [flat, truth()],
      again: [scan(1), truth()],
      magic: [scan(8), truth()],
      lost: [scan(9), truth()],
    });
    const file = (...names: string[]) => path.join(dir, ...names);
    writeFileSync(
      file('imagesTr', 'cut.nii.gz'),
      readFileSync(file('imagesTr', 'cut.nii.gz')).subarray(0, -9),
    );
    writeFileSync(file('labelsTr', 'magic.nii.gz'), 'this is no image');
    rmSync(file('labelsTr', 'lost.nii.gz'));
    const report = await verifyDataset(dir);
    const of = (id: string) => report.cases.find((found) => found.id === id)!.findings.map(inWords);
    expect(of('a')).toEqual([]);
    expect(of('again')).toEqual(['fault again.nii.gz voxels: those of no other case; those of case a']);
    expect(of('cut')).toEqual([
      'fault cut.nii.gz gzip stream: a complete stream; a stream that is cut short',
    ]);
    expect(of('nan')).toEqual([
      'fault nan.nii.gz voxels: finite numbers; 2 NaN or infinite voxels, the first at (depth, height, width) = (1, 3, 4)',
    ]);
    expect(of('other')[0]).toMatch(
      /^fault other\.nii\.gz labels: one of 0 background, 1 liver; .*7 in 99 \(4, 1, 5\)$/,
    );
    expect(of('broken')[0]).toMatch(/labels: one of .*0\.5 in 99/);
    expect(of('moved')[0]).toMatch(
      /^fault moved\.nii\.gz geometry: the image's grid .*30\]\).*33\] in RAS\+ order$/,
    );
    expect(of('flat')).toEqual(['fault flat.nii.gz voxels: an image; the same value 7 everywhere']);
    expect(of('magic')[0]).toMatch(/^fault magic\.nii\.gz sizeof_hdr/);
    expect(report.findings.map(inWords)).toEqual([
      'fault lost.nii.gz label of case lost: a file; nothing at this path',
    ]);
    // Its image is looked at all the same.
    expect(report.cases.find(({ id }) => id === 'lost')).toMatchObject({
      kind: 'unlabelled',
      range: [-1000, 498],
    });
    expect(report.faults).toBe(9);
  });

  it('finds the same scan among training and test cases, in another type', async () => {
    const dir = await dataset({ a: [scan(1), truth()] });
    const same = makeVolume(Float32Array.from(scan(1).data), shape, affine);
    await writeNifti(path.join(dir, 'imagesTs', 'z.nii'), same);
    expect(await said(dir, 'z')).toEqual(['fault z.nii voxels: those of no other case; those of case a']);
  });

  it('warns of what is unusual', async () => {
    const bright = makeVolume(
      Uint8Array.from(scan(1).data, (v) => (v + 1000) / 6),
      shape,
      affine,
    );
    const coarse = [20, 0, 0, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1];
    const dir = await dataset(
      {
        bright: [bright, truth()],
        coarse: [
          { ...scan(2), affine: coarse },
          { ...truth(0), affine: coarse },
        ],
      },
      { labels: { background: 0, liver: 1, tumour: 2 } },
    );
    expect(await said(dir, 'bright')).toEqual([
      'warning bright.nii.gz voxels: Hounsfield units, with air or fat below -150; values from 0 to 249',
    ]);
    expect(await said(dir, 'coarse')).toEqual([
      'warning coarse.nii.gz spacing: 0.1 to 10 mm; 3 x 2 x 20 mm',
      'warning coarse.nii.gz labels: some label above 0; background alone',
    ]);
    expect(await said(dir)).toEqual([
      `warning ${path.basename(dir)} labels: each label in some case; "tumour" in none`,
    ]);
    const report = await verifyDataset(dir);
    expect([report.faults, report.warnings]).toEqual([0, 4]);
  });

  it('expects no Hounsfield units where the data set says that it is no CT', async () => {
    const bright = makeVolume(
      Uint8Array.from(scan(1).data, (v) => (v + 1000) / 6),
      shape,
      affine,
    );
    const json = { channel_names: { 0: 'MRI' }, labels: { background: 0, liver: 1 } };
    expect(await said(await dataset({ a: [bright, truth()] }, json), 'a')).toEqual([]);
  });

  it('looks at series of DICOM and pairs by pattern', async () => {
    const dir = mkdtempSync(path.join(root, 'pairs-'));
    const heights = [0, 3, 6, 12];
    const slices = heights.map((z) => ({ position: [0, 0, z], values: [z, 1, 2, 3, 4, 5] }));
    writeSlices(
      path.join(dir, 'p1', 'ct'),
      Object.fromEntries(slices.map((slice, n) => [`${n}.dcm`, slice])),
    );
    const { cases, faults } = await verifyDataset(dir, { images: '*/ct' });
    expect(faults).toBe(1);
    expect(cases[0]).toMatchObject({ id: 'p1', kind: 'test' });
    expect(cases[0].findings[0].found).toMatch(/1 missing slice/);
  });

  it('reads the chunks of a store, each of them', async () => {
    const out = path.join(root, 'store');
    await preprocess({ data: await dataset({ a: [scan(1), truth()], b: [scan(2), truth()] }), out });
    const sound = await verifyDataset(out);
    expect([sound.faults, sound.warnings]).toEqual([0, 0]);
    expect(sound.cases[1]).toMatchObject({ id: 'b', format: 'Zarr', shape, labels: { 0: 621, 1: 99 } });
    writeFileSync(path.join(out, 'b', 'labels', '0.0.0'), 'damage');
    expect(await said(out, 'b')).toEqual([expect.stringMatching(/^fault 0\.0\.0 chunk .*damaged data/)]);
    expect(await said(out, 'a')).toEqual([]);
  });

  it('says that a set is empty, or none', async () => {
    expect(await said(await dataset({}))).toEqual([
      expect.stringMatching(/^fault .* cases: at least one; none$/),
    ]);
    await expect(verifyDataset(path.join(root, 'nowhere'))).rejects.toThrow(ImagingError);
  });
});
