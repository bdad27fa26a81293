import { existsSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/imaging/nifti-fixture.ts';
import { makeFolder } from './folders.ts';

const folder = temporaryFolder();
const at = (...names: readonly string[]) => path.join(folder, ...names);

describe('makeFolder', () => {
  it('makes a folder and those above it, and takes one that is there', () => {
    makeFolder(at('a', 'b', 'c'));
    makeFolder(at('a', 'b', 'c'));
    symlinkSync(at('a'), at('link'));
    makeFolder(at('link', 'd'));
    expect(readdirSync(at('a')).sort()).toEqual(['b', 'd']);
  });

  it('says what is in the way', () => {
    writeFileSync(at('file'), '');
    symlinkSync(at('nowhere'), at('dangling'));
    expect(() => makeFolder(at('file'))).toThrow(
      /cannot be made; expected no file of this name, found a file/,
    );
    expect(() => makeFolder(at('file', 'x', 'y'))).toThrow(/expected a folder .*file, found a file/);
    expect(() => makeFolder(at('dangling', 'x'))).toThrow(/cannot be made: .*\(EEXIST\)/);
    expect(existsSync(at('nowhere'))).toBe(false);
    expect(statSync(at('file')).size).toBe(0);
  });

  it('ends where the system takes no folders', () => {
    expect(() => makeFolder('/proc/halomesh/x')).toThrow(/cannot be made: .*\(E[A-Z]+\)/);
  });
});
