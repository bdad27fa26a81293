import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/imaging/nifti-fixture.ts';
import { checkOutputs, isSamePath } from './outputs.ts';

const folder = temporaryFolder();
const at = (...names: readonly string[]) => path.join(folder, ...names);

beforeAll(() => {
  mkdirSync(at('scans'));
  writeFileSync(at('scans', 'a.nii'), 'scan');
  writeFileSync(at('old.nii'), 'labels');
  symlinkSync(at('scans', 'a.nii'), at('soft.nii'));
  linkSync(at('scans', 'a.nii'), at('hard.nii'));
  symlinkSync(at('scans'), at('again'));
  symlinkSync(at('scans', 'new.nii'), at('dangling.nii'));
});

describe('checkOutputs', () => {
  it('never lets an output be an input, by whatever name', () => {
    for (const name of ['scans/a.nii', 'soft.nii', 'hard.nii', 'again/a.nii', 'scans/../scans/a.nii'])
      for (const reads of [[at('scans', 'a.nii')], [at('scans')], [at('again')]])
        expect(() => checkOutputs({ reads, writes: [at(name)], overwrite: true }), name).toThrow(/is read/);
    expect(() => checkOutputs({ reads: [at('scans')], writes: [at('again')], overwrite: true })).toThrow(
      /is read/,
    );
  });

  it('replaces what is there only when asked to', () => {
    expect(() => checkOutputs({ reads: [at('scans')], writes: [at('old.nii')] })).toThrow(/--overwrite/);
    checkOutputs({ reads: [at('scans')], writes: [at('old.nii')], overwrite: true });
    checkOutputs({ reads: [at('scans')], writes: [at('scans', 'other.nii')] });
    checkOutputs({ reads: [at('missing')], writes: [at('no', 'such', 'folder')] });
  });

  it('does not let two outputs be one file', () => {
    const writes = [at('scans', 'new.nii'), at('dangling.nii')];
    expect(() => checkOutputs({ reads: [], writes, overwrite: true })).toThrow(/one file/);
    expect(isSamePath(at('again', 'x'), at('scans', 'x'))).toBe(true);
    expect(isSamePath(at('again', 'x'), at('scans', 'y'))).toBe(false);
  });
});
