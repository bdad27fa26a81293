import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { datasetFolder } from '../../../test/imaging/dataset-fixture.ts';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { ImagingError } from '../volume/errors.ts';
import { openDataset } from './dataset.ts';

const root = temporaryFolder();

const folder = (files: readonly string[], json?: unknown): string => datasetFolder(root, files, json);

const pair = (name: string) => ({ image: `./imagesTr/${name}.nii.gz`, label: `./labelsTr/${name}.nii.gz` });
const files = (...names: string[]) => names.flatMap((name) => Object.values(pair(name)));

describe('openDataset', () => {
  it('reads a Decathlon folder in natural order', async () => {
    const labels = { 0: 'background', 1: 'liver', 2: 'tumour' };
    const json = {
      name: 'Liver',
      labels,
      training: ['liver_10', 'liver_2'].map(pair),
      test: ['./imagesTs/liver_7.nii.gz'],
    };
    const dir = folder([...files('liver_2', 'liver_10', 'unlisted'), 'imagesTs/liver_7.nii.gz'], json);
    const dataset = await openDataset(dir);
    expect(dataset).toMatchObject({ name: 'Liver', labelNames: ['background', 'liver', 'tumour'] });
    expect(dataset.cases.map(({ id }) => id)).toEqual(['liver_2', 'liver_10']);
    expect(dataset.cases[0]).toEqual({
      id: 'liver_2',
      image: path.join(dir, 'imagesTr', 'liver_2.nii.gz'),
      label: path.join(dir, 'labelsTr', 'liver_2.nii.gz'),
      labelNames: ['background', 'liver', 'tumour'],
    });
    expect(dataset.test.map(({ id, label }) => [id, label])).toEqual([['liver_7', undefined]]);
    rmSync(path.join(dir, 'labelsTr', 'liver_10.nii.gz'));
    await expect(openDataset(dir)).rejects.toThrow(
      /liver_10\.nii\.gz: label of case liver_10: expected a file/,
    );
  });

  it('reads an nnU-Net v2 folder', async () => {
    const json = {
      channel_names: { 0: 'CT' },
      labels: { background: 0, liver: 1 },
      numTraining: 2,
      file_ending: '.nii',
    };
    const dir = folder(
      ['imagesTr/a_0000.nii', 'labelsTr/a.nii', 'imagesTr/b_0000.nii', 'labelsTr/b.nii'],
      json,
    );
    const dataset = await openDataset(dir);
    expect(dataset.labelNames).toEqual(['background', 'liver']);
    expect(dataset.cases.map(({ id, label }) => [id, path.basename(label ?? '')])).toEqual([
      ['a', 'a.nii'],
      ['b', 'b.nii'],
    ]);
    writeFileSync(path.join(dir, 'imagesTr', 'b_0001.nii'), '');
    await expect(openDataset(dir)).rejects.toThrow(
      'channels of case b: expected one, _0000, found b_0001.nii',
    );
  });

  it('takes files of any format and folders of series, each with the label map of its name', async () => {
    const dir = folder([
      ...[
        'imagesTr/a.nrrd',
        'imagesTr/b.mha',
        'imagesTr/b.raw',
        'imagesTr/c/1.dcm',
        'imagesTr/d.hdr',
        'imagesTr/d.img',
      ],
      ...['labelsTr/a.nii.gz', 'labelsTr/b.nrrd', 'labelsTr/b.mha', 'labelsTr/c.nii', 'labelsTr/d.nii.gz'],
    ]);
    const { cases } = await openDataset(dir);
    const found = cases.map(({ id, image, label }) => [id, path.basename(image), path.basename(label ?? '')]);
    expect(found).toEqual([
      ['a', 'a.nrrd', 'a.nii.gz'],
      ['b', 'b.mha', 'b.mha'],
      ['c', 'c', 'c.nii'],
      ['d', 'd.hdr', 'd.nii.gz'],
    ]);
    writeFileSync(path.join(dir, 'labelsTr', 'a.mha'), '');
    await expect(openDataset(dir)).rejects.toThrow(
      /expected one label map of case a, found a\.mha, a\.nii\.gz/,
    );
  });

  it('follows links to files and to folders', async () => {
    const real = folder(['ct/1.dcm', 'seg.nii']);
    const dir = folder(['imagesTr/notes.txt', 'labelsTr/notes.txt']);
    symlinkSync(path.join(real, 'ct'), path.join(dir, 'imagesTr', 'a'));
    symlinkSync(path.join(real, 'seg.nii'), path.join(dir, 'labelsTr', 'a.nii'));
    expect((await openDataset(dir)).cases.map(({ id }) => id)).toEqual(['a']);
    symlinkSync(path.join(real, 'gone.nii'), path.join(dir, 'imagesTr', 'b.nii'));
    await expect(openDataset(dir)).rejects.toThrow(/b\.nii: image of case b: expected a file/);
  });

  it('takes the files of an nnU-Net folder that end as it says, and its list of cases elsewhere', async () => {
    const names = ['imagesTr/a_0000.nrrd', 'imagesTr/b_0000.nii.gz', 'labelsTr/a.nrrd'];
    const dir = folder(names, { labels: { background: 0 }, file_ending: '.nrrd' });
    expect((await openDataset(dir)).cases.map(({ id }) => id)).toEqual(['a']);
    const elsewhere = { p7: { images: ['scans/x.mha'], label: 'truth/x.mha' } };
    const listed = await openDataset(folder(['scans/x.mha', 'truth/x.mha'], { dataset: elsewhere }));
    expect(listed.cases.map(({ id, image }) => [id, path.basename(image)])).toEqual([['p7', 'x.mha']]);
    const twoImages = { p7: { images: ['a.mha', 'b.mha'], label: 'c.mha' } };
    await expect(openDataset(folder([], { dataset: twoImages }))).rejects.toThrow(
      /expected 1 file, one for each channel, found 2/,
    );
  });

  it('tells a number of patients from a number of channels by the label maps', async () => {
    const dir = folder(files('liver_0000', 'liver_0001', 'liver_0002'));
    expect((await openDataset(dir)).cases.map(({ id }) => id)).toEqual([
      'liver_0000',
      'liver_0001',
      'liver_0002',
    ]);
  });

  it('finds pairs by patterns, whose star is the id', async () => {
    const names = [
      'p10_ct.nii.gz',
      'p2_ct.nii.gz',
      'p3_ct.nii.gz',
      'p2_seg.nii.gz',
      'p10_seg.nii.gz',
      'x_ct.nii',
    ];
    const dir = folder(names, { labels: { background: 0, liver: 1 } });
    const dataset = await openDataset(dir, { images: '*_ct.nii.gz', labels: '*_seg.nii.gz' });
    expect(dataset.cases.map(({ id, label }) => [id, path.basename(label ?? '')])).toEqual([
      ['p2', 'p2_seg.nii.gz'],
      ['p10', 'p10_seg.nii.gz'],
    ]);
    expect(dataset.test.map(({ id }) => id)).toEqual(['p3']);
    expect(dataset.labelNames).toEqual(['background', 'liver']);
    // A pattern of images that also fits the label maps.
    const plain = folder(['a.nii', 'a_seg.nii', 'b.nii']);
    const all = await openDataset(plain, { images: '*.nii', labels: '*_seg.nii' });
    expect([all.cases, all.test].map((list) => list.map(({ id }) => id))).toEqual([['a'], ['b']]);
  });

  it('finds pairs in folders of their own', async () => {
    const dir = folder(['a/ct/1.dcm', 'a/seg.nrrd', 'b/ct/1.dcm', 'b/seg.nrrd', 'notes.txt']);
    const { cases } = await openDataset(dir, { images: '*/ct', labels: '*/seg.nrrd' });
    expect(cases.map(({ id, image }) => [id, path.relative(dir, image)])).toEqual([
      ['a', path.join('a', 'ct')],
      ['b', path.join('b', 'ct')],
    ]);
  });

  it('refuses patterns that are none, and labels without image', async () => {
    const dir = folder(['a_ct.nii', 'b_seg.nii']);
    for (const images of ['a_ct.nii', '*_*.nii', '../*.nii', '/*.nii'])
      await expect(openDataset(dir, { images })).rejects.toThrow(/images: expected a path .* with one \*/);
    await expect(openDataset(dir, { labels: '*_seg.nii' })).rejects.toThrow(/Give "images" as well/);
    await expect(openDataset(dir, { images: '*_ct.nii', labels: '*_seg.nii' })).rejects.toThrow(
      /b_seg\.nii: label of case b: expected its image b_ct\.nii/,
    );
    await expect(openDataset(path.join(dir, 'no'), { images: '*' })).rejects.toThrow(
      /expected a folder, found nothing/,
    );
  });

  it('reads bare folders and passes over hidden files', async () => {
    const dataset = await openDataset(
      folder([...files('x', 'y'), 'imagesTr/._x.nii.gz', 'imagesTr/notes.txt']),
    );
    expect(dataset.cases.map(({ id }) => id)).toEqual(['x', 'y']);
    expect(dataset.labelNames).toBeUndefined();
    await expect(openDataset(folder(['imagesTr/z.nii.gz']))).rejects.toThrow(
      'label of case z: expected a file',
    );
  });

  it.each<[string, unknown, RegExp]>([
    ['no JSON', '{"labels": ', /content: expected JSON, found /],
    ['a list of names', { training: ['a'] }, /dataset\.json: training\.0: expected .*object.*, found "a"/],
    [
      'a case without label',
      { training: [{ image: 'a' }] },
      /training\.0\.label: expected the path of one file/,
    ],
    [
      'labels without a background',
      { labels: { 1: 'liver', 2: 'tumour' } },
      /labels: .* found no name for 0/,
    ],
    [
      'label values that are no numbers',
      { labels: { liver: 'one', 0: 'x' } },
      /labels: expected values from 0 to 255, 0 among them, each with one name, found no value for "liver"/,
    ],
    ['lists of no values', { labels: { background: 0, liver: [] } }, /labels: .* found no value for "liver"/],
    [
      'channels with gaps',
      { channel_names: { 0: 'CT', 2: 'PET' } },
      /channel_names: expected names of the channels 0, 1, 2.*, found 0, 2/,
    ],
    ['modalities without numbers', { modality: { FLAIR: 0 } }, /modality\.FLAIR: expected a text/],
    [
      'a case twice',
      { training: [pair('a'), pair('a')] },
      /training: expected each case once, found a twice/,
    ],
  ])('refuses %s', async (_, json, message) => {
    const error: unknown = await openDataset(folder(files('a'), json)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ImagingError);
    expect((error as ImagingError).message).toMatch(message);
  });

  it('says when there is no dataset', async () => {
    await expect(openDataset(path.join(root, 'nowhere'))).rejects.toThrow('found nothing at this path');
    await expect(openDataset(folder([]))).rejects.toThrow(
      'expected dataset.json, imagesTr or cases with segmentations, found none of them',
    );
  });
});
