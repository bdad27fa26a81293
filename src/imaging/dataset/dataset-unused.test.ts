import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { datasetFolder } from '../../../test/imaging/dataset-fixture.ts';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { verifyDataset } from '../check/verify.ts';
import { writePhantom } from '../synthetic/phantom.ts';
import { openDataset } from './dataset.ts';

const root = temporaryFolder();

const folder = (files: readonly string[], json?: unknown): string => datasetFolder(root, files, json);

const channels = (name: string, ...numbers: readonly number[]) =>
  numbers.map((n) => `imagesTr/${name}_000${n}.nii.gz`);

describe('further channels', () => {
  it.each([
    ['imagesTr/a_0000.nii.gz'],
    ['imagesTr/a.nii.gz'],
    // Another one than the first.
    ['imagesTr/a_0002.nii.gz'],
  ])('are refused beside a listed image: %s', async (image) => {
    const json = { training: [{ image, label: 'labelsTr/a.nii.gz' }] };
    const dir = folder([...channels('a', 0, 1, 2, 3), 'labelsTr/a.nii.gz'], json);
    await expect(openDataset(dir)).rejects.toThrow(
      /channels of case a(_0002)?: expected one file, found a_000\d.*a_0003\.nii\.gz beside it\. Name all channels in "channel_names"/,
    );
  });

  it('are refused beside an image of a list of cases elsewhere', async () => {
    const json = {
      dataset: { a: { images: ['imagesTr/a_0000.nii.gz'], label: 'labelsTr/a.nii.gz' } },
    };
    const dir = folder([...channels('a', 0, 1), 'labelsTr/a.nii.gz'], json);
    await expect(openDataset(dir)).rejects.toThrow('found a_0001.nii.gz beside it');
  });

  it('are refused beside an image to test on', async () => {
    const json = {
      training: [{ image: 'imagesTr/a.nii.gz', label: 'labelsTr/a.nii.gz' }],
      test: ['imagesTs/t_0000.nii.gz'],
    };
    const files = [
      'imagesTr/a.nii.gz',
      'labelsTr/a.nii.gz',
      'imagesTs/t_0000.nii.gz',
      'imagesTs/t_0001.nii.gz',
    ];
    await expect(openDataset(folder(files, json))).rejects.toThrow('channels of case t: expected one file');
  });

  it('are none where the numbers count patients', async () => {
    const names = ['p_0000', 'p_0001', 'p_0002'];
    const files = names.flatMap((name) => [`imagesTr/${name}.nii.gz`, `labelsTr/${name}.nii.gz`]);
    const training = names.slice(1).map((name) => ({
      image: `imagesTr/${name}.nii.gz`,
      label: `labelsTr/${name}.nii.gz`,
    }));
    const { cases, unused } = await openDataset(folder(files, { training }));
    expect(cases.map(({ id }) => id)).toEqual(['p_0001', 'p_0002']);
    expect(unused).toEqual(['imagesTr/p_0000.nii.gz', 'labelsTr/p_0000.nii.gz']);
  });
});

describe('files of no case', () => {
  it('are told of a list', async () => {
    const files = ['a', 'b'].flatMap((name) => [`imagesTr/${name}.nii.gz`, `labelsTr/${name}.nii.gz`]);
    const json = { training: [{ image: 'imagesTr/a.nii.gz', label: './labelsTr/a.nii.gz' }] };
    const other = ['imagesTr/a_flair.NII', 'imagesTr/notes.txt', 'imagesTr/._a.nii.gz', 'imagesTs/t.nrrd'];
    const { test, unused } = await openDataset(folder([...files, ...other], json));
    expect(test.map(({ id }) => id)).toEqual(['t']);
    expect(unused).toEqual(['imagesTr/a_flair.NII', 'imagesTr/b.nii.gz', 'labelsTr/b.nii.gz']);
  });

  it('are told of folders without a list: label maps without an image, files of another ending', async () => {
    const files = ['imagesTr/a.nii.gz', 'labelsTr/a.nii.gz', 'labelsTr/b.nii.gz', 'imagesTr/c.mha'];
    expect((await openDataset(folder(files, { file_ending: '.nii.gz' }))).unused).toEqual([
      'imagesTr/c.mha',
      'labelsTr/b.nii.gz',
    ]);
  });

  it('are told of patterns', async () => {
    const dir = folder(['a_ct.nii', 'a_pet.nii', 'a_seg.nii', 'a.txt']);
    const { cases, unused } = await openDataset(dir, { images: '*_ct.nii', labels: '*_seg.nii' });
    expect([cases.length, unused]).toEqual([1, ['a_pet.nii']]);
  });

  it('are none where all are used, also where a listed image lies elsewhere', async () => {
    const elsewhere = path.join(folder(['x.nii', 'y.nii']), 'x.nii');
    const json = { training: [{ image: elsewhere, label: 'labelsTr/x.nii' }] };
    expect((await openDataset(folder(['labelsTr/x.nii'], json))).unused).toEqual([]);
  });

  it('are a warning of verify', async () => {
    const dir = path.join(root, 'phantom');
    await writePhantom({ out: dir, size: 16, cases: 1 });
    for (const name of ['imagesTr/other.nii.gz', 'labelsTr/other.nii.gz'])
      writeFileSync(path.join(dir, name), '');
    const { findings } = await verifyDataset(dir);
    expect(findings).toContainEqual(
      expect.objectContaining({
        level: 'warning',
        field: 'files',
        found: '2 in none: imagesTr/other.nii.gz, labelsTr/other.nii.gz',
      }),
    );
  });
});
