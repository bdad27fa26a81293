import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { datasetFolder } from '../../../test/imaging/dataset-fixture.ts';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { writeSpotted } from '../../../test/spotted.ts';
import { fingerprintDataset } from '../check/fingerprint.ts';
import { verifyDataset } from '../check/verify.ts';
import { preprocess } from '../preprocess/preprocess-dataset.ts';
import { openDataset } from './dataset.ts';
import { readImageLabels } from './image-labels.ts';

const root = temporaryFolder();
let made = 0;
function table(text: string): string {
  const file = path.join(root, `labels${made++}.csv`);
  writeFileSync(file, text);
  return file;
}

describe('a table of image labels', () => {
  it('is read as RFC 4180 has it, its columns by their names', async () => {
    const text =
      '\ufeffsite,Label,id\r\n"a, b",grade 10,case_1\r\n,"grade ""2""",case_2\n\nc,grade 10,"case\u0301"';
    const { classes, of } = await readImageLabels(table(text));
    expect(classes).toEqual(['grade 10', 'grade "2"'].sort());
    expect([...of]).toEqual([
      ['case_1', 'grade 10'],
      ['case_2', 'grade "2"'],
      ['cas\u00e9', 'grade 10'],
    ]);
    expect((await readImageLabels(table('id,label\na,10\nb,2\n'))).classes).toEqual(['2', '10']);
  });

  it.each([
    ['', 'line 1: expected columns id and label, each once'],
    ['id,label\n', 'line 2: expected an image with its label, found none'],
    ['id,class\na,b\n', 'line 1: expected columns id and label, each once, found "id,class"'],
    ['id,id,label\na,a,b\n', 'line 1: expected columns id and label, each once'],
    ['id,label\na\n', 'line 2: expected 2 columns, as in the first line, found 1'],
    ['id,label\na,b,\n', 'line 2: expected 2 columns, as in the first line, found 3'],
    ['id,label\na,b\na,c\n', 'line 3: expected each id once, found "a" twice'],
    ['id,label\na,\n', 'line 2: expected a label of "a", found none'],
    ['id,label\n../a,b\n', 'line 2: expected the id of an image'],
    ['id,label\n"a,b\n', 'line 2: expected a quote that ends'],
    ['id,label\n"a"b,c\n', 'line 2: expected a comma behind a quote, found "b,c"'],
    [
      'id,label\na,b\u0007\n',
      'image labels: expected names of at most 256 classes, found control characters',
    ],
  ])('%j is refused', async (text, message) => {
    await expect(readImageLabels(table(text))).rejects.toThrow(message);
  });

  it('of more classes than there can be is refused', async () => {
    const rows = Array.from({ length: 257 }, (_, n) => `a${n},${n}\n`);
    await expect(readImageLabels(table(`id,label\n${rows.join('')}`))).rejects.toThrow(
      'expected names of at most 256 classes, found 257 names',
    );
  });

  it('that is not there is refused', async () => {
    await expect(readImageLabels(path.join(root, 'none.csv'))).rejects.toThrow('a file that can be read');
  });
});

const images = (...names: string[]) => names.map((name) => `imagesTr/${name}.nii`);

describe('a data set of images with one label', () => {
  it('is a dataset.json whose cases have a class', async () => {
    const training = [
      { image: 'imagesTr/b.nii', class: 'malignant' },
      { image: 'imagesTr/a.nii', class: 'benign' },
    ];
    const labels = { 0: 'benign', 1: 'malignant', 2: 'unclear' };
    const dataset = await openDataset(datasetFolder(root, images('a', 'b'), { labels, training }));
    expect(dataset.imageClasses).toEqual(['benign', 'malignant', 'unclear']);
    expect(dataset.cases.map(({ id, label, imageLabel }) => [id, label, imageLabel])).toEqual([
      ['a', undefined, 'benign'],
      ['b', undefined, 'malignant'],
    ]);
    const unnamed = await openDataset(datasetFolder(root, images('a', 'b'), { training }));
    expect(unnamed.imageClasses).toEqual(['benign', 'malignant']);
    const other = { labels: { 0: 'benign', 1: 'malign' }, training };
    await expect(openDataset(datasetFolder(root, images('a', 'b'), other))).rejects.toThrow(
      'class of case b: expected one of benign, malign, as "labels" has it, found "malignant"',
    );
    const none = { training: [{ image: 'imagesTr/a.nii' }] };
    await expect(openDataset(datasetFolder(root, images('a'), none))).rejects.toThrow(
      'training.0.label: expected the path of one file, or the class of the image as "class"',
    );
  });

  it('may have label maps too, whose names "labels" are then', async () => {
    const training = [{ image: 'imagesTr/a.nii', label: 'labelsTr/a.nii', class: 'ill' }];
    const json = { labels: { 0: 'background', 1: 'liver' }, training };
    const dataset = await openDataset(datasetFolder(root, [...images('a'), 'labelsTr/a.nii'], json));
    expect([dataset.labelNames, dataset.imageClasses]).toEqual([['background', 'liver'], ['ill']]);
    expect(path.basename(dataset.cases[0].label!)).toBe('a.nii');
  });

  it('takes labels from a table, for folders of images and patterns', async () => {
    const imageLabels = table('id,label\nb,ill\na,well\n');
    const folder = datasetFolder(root, images('a', 'b', 'c'));
    for (const patterns of [{}, { images: 'imagesTr/*.nii' }]) {
      const dataset = await openDataset(folder, { ...patterns, imageLabels });
      expect(dataset.cases.map(({ id, imageLabel }) => [id, imageLabel])).toEqual([
        ['a', 'well'],
        ['b', 'ill'],
      ]);
      expect(dataset.test.map(({ id }) => id)).toEqual(['c']);
      expect(dataset.imageClasses).toEqual(['ill', 'well']);
    }
    const more = table('id,label\na,well\nd,ill\n');
    await expect(openDataset(folder, { imageLabels: more })).rejects.toThrow(
      'image labels: expected the id of an image of the data set, found "d", which is none',
    );
  });

  it('is verified, counted and preprocessed', async () => {
    const dir = path.join(root, 'spotted');
    await writeSpotted(dir, 3);
    const report = await verifyDataset(dir);
    expect([report.faults, report.imageClasses]).toEqual([0, { plain: 2, spots: 1 }]);
    expect(report.cases.map(({ imageLabel }) => imageLabel)).toEqual(['plain', 'spots', 'plain']);
    const print = await fingerprintDataset(dir);
    expect(print.imageClasses).toEqual({ plain: 2, spots: 1 });
    expect(print.all.classes.map(({ name, share }) => [name, share])).toEqual([['all voxels', 1]]);
    const out = path.join(root, 'store');
    await preprocess({ data: dir, out });
    const store = await openDataset(out);
    expect(store.imageClasses).toEqual(['plain', 'spots']);
    expect(store.cases.map(({ label, imageLabel }) => [label, imageLabel])).toEqual([
      [undefined, 'plain'],
      [undefined, 'spots'],
      [undefined, 'plain'],
    ]);
    const imageLabels = table('id,label\nimage_00,x\nimage_02,y\n');
    const named = await openDataset(out, { imageLabels });
    expect(named.cases.map(({ id, imageLabel }) => [id, imageLabel])).toEqual([
      ['image_00', 'x'],
      ['image_02', 'y'],
    ]);
    const single = await verifyDataset(dir, { imageLabels: table('id,label\nimage_00,x\n') });
    expect(single.findings.map(({ level, expected, found }) => [level, expected, found])).toEqual([
      ['warning', 'at least two classes', 'x'],
    ]);
    const attributes = path.join(out, '.zattrs');
    const damaged = JSON.parse(readFileSync(attributes, 'utf8'));
    damaged.halomesh.image_labels = ['plain', 'dots', 'plain'];
    writeFileSync(attributes, JSON.stringify(damaged));
    await expect(openDataset(out)).rejects.toThrow('image_labels: expected 3, each one of image_classes');
  });
});
