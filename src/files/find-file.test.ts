import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/imaging/nifti-fixture.ts';
import { FileFinder, sameForm } from './find-file.ts';

const root = temporaryFolder();

describe('FileFinder', () => {
  it('finds files whose letters have another form, in folders as well', () => {
    const [composed, apart] = ['größe', 'größe'.normalize('NFD')];
    expect(composed).not.toBe(apart);
    expect(sameForm(apart)).toBe(composed);
    mkdirSync(path.join(root, apart));
    const file = path.join(root, apart, `${apart}.nii`);
    writeFileSync(file, '');
    const finder = new FileFinder();
    expect(finder.find(root, path.join(root, composed, `${composed}.nii`))).toEqual([file]);
    expect(finder.find(root, path.join(root, composed, 'é.nii'))).toEqual([]);
    expect(finder.find(path.join(root, 'other'), path.join(root, composed, `${composed}.nii`))).toEqual([
      file,
    ]);
    expect(finder.find(root, path.join(root, 'plain.nii'))).toEqual([]);
  });

  it('finds both of two files that look alike', () => {
    const folder = path.join(root, 'twins');
    mkdirSync(folder);
    for (const name of ['é', 'é'.normalize('NFD')]) writeFileSync(path.join(folder, name), '');
    expect(new FileFinder().find(folder, path.join(folder, 'é'))).toHaveLength(2);
  });
});
