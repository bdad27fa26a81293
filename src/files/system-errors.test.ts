import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/imaging/nifti-fixture.ts';
import { systemErrorText } from './system-errors.ts';

const textOf = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    return systemErrorText(error);
  }
  return 'no error';
};

describe('systemErrorText', () => {
  const folder = temporaryFolder();
  const missing = path.join(folder, 'missing');

  it('says which path, what was tried and what is wrong', () => {
    expect(textOf(() => readFileSync(missing))).toBe(
      `${missing}: cannot be opened: there is no such file or folder (ENOENT). Check the path.`,
    );
    expect(textOf(() => readFileSync(folder))).toMatch(/it is a folder where a file is expected \(EISDIR\)/);
    expect(textOf(() => readdirSync(missing))).toMatch(/cannot be listed/);
    expect(textOf(() => mkdirSync(folder))).toMatch(/cannot be made: something of this name/);
  });

  it('leaves other errors alone', () => {
    expect(systemErrorText(new TypeError('x'))).toBeUndefined();
    expect(systemErrorText('x')).toBeUndefined();
  });
});
