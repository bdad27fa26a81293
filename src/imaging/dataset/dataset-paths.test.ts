import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { datasetFolder } from '../../../test/imaging/dataset-fixture.ts';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { preprocess } from '../preprocess/preprocess-dataset.ts';
import { openDataset, surveyDataset } from './dataset.ts';

const root = temporaryFolder();

const folder = (files: readonly string[], json?: unknown): string => datasetFolder(root, files, json);

const files = (name: string) => [`imagesTr/${name}.nii.gz`, `labelsTr/${name}.nii.gz`];
const entry = (name: string) => ({ image: files(name)[0], label: files(name)[1] });
const apart = (text: string) => text.normalize('NFD');

describe('ids of cases', () => {
  it.each(['../victim/case', '..', 'a/b', 'a\\b', '.zattrs', '', 'a\x1b[2J', ' a'])(
    'refuses %j as an id',
    async (id) => {
      const dataset = JSON.parse(
        `{${JSON.stringify(id)}: {"images": ["imagesTr/a.nii.gz"], "label": "labelsTr/a.nii.gz"}}`,
      );
      const dir = folder(files('a'), { dataset });
      await expect(openDataset(dir)).rejects.toThrow(/id of a case: expected the name of a file, found /);
      const { dataset: rest, faults } = await surveyDataset(dir);
      expect([rest.cases, faults.length]).toEqual([[], 1]);
    },
  );

  it.each(['__proto__', 'constructor', 'a,b', 'größe'])('takes %s', async (id) => {
    const dir = mkdtempSync(path.join(root, 'named-'));
    for (const name of ['imagesTr', 'labelsTr']) {
      mkdirSync(path.join(dir, name));
      writeFileSync(path.join(dir, name, `${id}.nii.gz`), '');
    }
    const where = `"images": ["imagesTr/${id}.nii.gz"], "label": "labelsTr/${id}.nii.gz"`;
    writeFileSync(path.join(dir, 'dataset.json'), `{"dataset": {"${id}": {${where}}}}`);
    expect((await openDataset(dir)).cases.map((one) => one.id)).toEqual([id]);
  });

  it('writes no cases whose names a disk may take for one', async () => {
    const dir = folder([...files('a'), ...files('A')], { training: [entry('a'), entry('A')] });
    expect((await openDataset(dir)).cases).toHaveLength(2);
    await expect(preprocess({ data: dir, out: path.join(root, 'store') })).rejects.toThrow('"a" and "A"');
  });
});

describe('paths of a data set', () => {
  it('finds files whose letters have another form than in the list, and the other way round', async () => {
    for (const form of [apart, (text: string) => text]) {
      const other = form === apart ? (text: string) => text : apart;
      const dir = folder(files(form('größe')), { training: [entry(other('größe'))] });
      const { cases } = await openDataset(dir);
      expect(cases.map(({ id, image }) => [id, image])).toEqual([
        ['größe', path.join(dir, files(form('größe'))[0])],
      ]);
    }
  });

  it('pairs images and label maps whose letters differ in form, also by patterns', async () => {
    const dir = folder([files('é')[0], files(apart('é'))[1]]);
    const [listed] = (await openDataset(dir)).cases;
    const [matched] = (await openDataset(dir, { images: 'imagesTr/*.nii.gz', labels: 'labelsTr/*.nii.gz' }))
      .cases;
    expect(listed).toEqual(matched);
    expect(listed).toMatchObject({ id: 'é', label: path.join(dir, files(apart('é'))[1]) });
  });

  it('refuses two files that look alike', async () => {
    const both = [...files('é'), ...files(apart('é'))];
    await expect(openDataset(folder(both))).rejects.toThrow(/twice|expected one label map/);
    await expect(openDataset(folder(both, { training: [entry('é')] }))).rejects.toThrow('expected one file');
    const images = 'imagesTr/*.nii.gz';
    await expect(openDataset(folder(both), { images })).rejects.toThrow('expected one of case é');
  });

  it('takes the slashes of Windows', async () => {
    const dir = folder(files('a'), {
      training: [{ image: '.\\imagesTr\\a.nii.gz', label: 'labelsTr\\a.nii.gz' }],
    });
    expect((await openDataset(dir)).cases).toMatchObject([{ id: 'a', image: path.join(dir, files('a')[0]) }]);
  });

  it('takes endings in any case, and names one that fits no file', async () => {
    const upper = ['imagesTr/a_0000.NII.GZ', 'labelsTr/a.NII.GZ'];
    expect((await openDataset(folder(upper, { file_ending: '.nii.gz' }))).cases).toMatchObject([{ id: 'a' }]);
    await expect(openDataset(folder(files('a'), { file_ending: '.nrrd' }))).rejects.toThrow(
      'dataset.json: file_ending: expected what the files in imagesTr end in (.nii.gz), found ".nrrd"',
    );
  });

  it('takes the one file in a folder that is named like it', async () => {
    const inner = (name: string) => path.join(name, path.basename(name));
    const made = files('a').map(inner);
    for (const json of [undefined, { training: [entry('a')] }]) {
      const dir = folder(made, json);
      const { cases, unused } = await openDataset(dir);
      expect(unused).toEqual([]);
      expect(cases).toMatchObject([
        { id: 'a', image: path.join(dir, made[0]), label: path.join(dir, made[1]) },
      ]);
    }
  });

  it.each<[string, unknown, string]>([
    [
      'images of MONAI',
      { training: [{ image: ['a'], label: 'b' }] },
      'training.0.image: expected the path of one file',
    ],
    [
      'names in a list',
      { channel_names: ['CT'] },
      'channel_names: expected names of channels, such as {"0": "CT"}',
    ],
    ['a list', [], 'content: expected an object such as'],
    ['no list', { training: {} }, 'training: expected a list of {"image": PATH, "label": PATH}'],
    ['a hole', { labels: { 1: 'a', 2: 'b', x: 'c' } }, 'no value for "x"'],
    ['no 0', { labels: { a: 1, b: 2 } }, 'no name for 0'],
    ['names twice', { labels: { 0: 'a', 1: 'a' } }, '"a" for both 0 and 1'],
    ['values twice', { labels: { a: 0, b: 0 } }, '"a" and "b" for 0'],
    ['numbers as texts', { labels: { a: '0', b: '1' } }, 'no value for "a"'],
    ['half a value', { labels: { a: 0, b: 0.5 } }, 'the value 0.5 of "b"'],
    ['an empty name', { labels: { 0: 'a', 1: '' } }, 'an empty name for 1'],
  ])('refuses %s in words', async (_, json, message) => {
    await expect(openDataset(folder(files('a'), json))).rejects.toThrow(message);
  });

  it('keeps a class __proto__', async () => {
    const dir = folder(files('a'));
    writeFileSync(
      path.join(dir, 'dataset.json'),
      '{"labels": {"background": 0, "__proto__": 1, "constructor": 2}}',
    );
    expect((await openDataset(dir)).labelNames).toEqual(['background', '__proto__', 'constructor']);
  });
});
