import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { inside, isInside, nameProblem, pathFrom } from './names.ts';

describe('nameProblem', () => {
  it('takes names of any script, hidden ones and those of JavaScript', () => {
    for (const name of ['case 7', '.hidden', '..a', '肝臓_001', 'constructor', '__proto__', 'a,b+c=d'])
      expect(nameProblem(name), name).toBeUndefined();
  });

  it('refuses what leads elsewhere or cannot be shown', () => {
    for (const name of [
      '',
      '.',
      '..',
      'a/b',
      '../a',
      'a\\b',
      '/a',
      'a\0',
      'a\nb',
      'a\x1b[2J',
      ' a',
      'a'.repeat(201),
    ])
      expect(nameProblem(name), JSON.stringify(name)).toMatch(/name|separator|control|blanks/);
  });
});

describe('paths', () => {
  it('are taken from a folder, with separators of Windows too', () => {
    expect(pathFrom('/data', '.\\imagesTr\\a.nii')).toBe('/data/imagesTr/a.nii');
    expect(pathFrom('/data', '/else/a.nii')).toBe('/else/a.nii');
  });

  it('are inside of a folder or not, by name', () => {
    expect(isInside('/a', '/a/b/../c')).toBe(true);
    expect(isInside('/a', '/a/..b')).toBe(true);
    for (const file of ['/a', '/a/../b', '/ab', '/']) expect(isInside('/a', file), file).toBe(false);
    expect(inside('/a', 'b', 'c')).toBe(path.join('/a', 'b', 'c'));
    expect(() => inside('/a', '../b', 'c')).toThrow(/outside of this folder/);
  });
});
