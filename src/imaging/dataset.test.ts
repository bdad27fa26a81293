import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/imaging/nifti-fixture.ts';
import { openDataset } from './dataset.ts';
import { ImagingError } from './errors.ts';

const root = temporaryFolder();

/** A dataset folder with empty files of these names, and dataset.json if it is given. */
function folder(files: readonly string[], json?: unknown): string {
  const dir = mkdtempSync(path.join(root, 'set-'));
  for (const file of files) {
    mkdirSync(path.dirname(path.join(dir, file)), { recursive: true });
    writeFileSync(path.join(dir, file), '');
  }
  if (json !== undefined) {
    writeFileSync(path.join(dir, 'dataset.json'), typeof json === 'string' ? json : JSON.stringify(json));
  }
  return dir;
}

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
    await expect(openDataset(dir)).rejects.toThrow('channel: expected _0000, found b_0001.nii');
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
    ['a case without label', { training: [{ image: 'a' }] }, /training\.0\.label: expected .*string/],
    [
      'a gap in the labels',
      { labels: { 0: 'background', 2: 'tumour' } },
      /labels: expected the values 0, 1, 2/,
    ],
    [
      'label values that are no numbers',
      { labels: { liver: 'one', 0: 'x' } },
      /labels: expected the values 0, 1, 2/,
    ],
    ['regions', { labels: { background: 0, whole: [1, 2] } }, /labels\.whole: expected .*, found \[1,2\]/],
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
      'expected dataset.json or imagesTr, found neither of them',
    );
  });
});
