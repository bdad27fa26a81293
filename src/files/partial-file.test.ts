import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/imaging/nifti-fixture.ts';
import { beginPartial } from './partial-file.ts';

const folder = temporaryFolder();
const file = path.join(folder, 'a.txt');
const names = () => readdirSync(folder).sort();

describe('beginPartial', () => {
  it('gives a file its name when it is whole, and removes one that is given up', () => {
    const whole = beginPartial(file);
    writeFileSync(whole.path, 'new');
    expect(names()).toEqual([path.basename(whole.path)]);
    whole.finish();
    whole.discard();
    expect(readFileSync(file, 'utf8')).toBe('new');
    const other = beginPartial(file);
    writeFileSync(other.path, 'other');
    other.discard();
    other.discard();
    expect(names()).toEqual(['a.txt']);
    expect(readFileSync(file, 'utf8')).toBe('new');
  });

  it('removes what dead processes left, and nothing of living ones, of other machines, or of other names', () => {
    const dead = spawnSync(process.execPath, ['--version']).pid;
    const living = beginPartial(file);
    const [, place] = /\.([0-9a-f]{8})-\d+-[0-9a-f]{12}\.partial$/.exec(living.path)!;
    const left = (from: string, pid: number) => `b.nii.gz.${from}-${pid}-0123456789ab.partial`;
    const elsewhere = place === '00000000' ? '11111111' : '00000000';
    const kept = [left(place, process.pid), left(elsewhere, dead), `b.${dead}.partial`, 'b.partial'];
    for (const name of [...kept, left(place, dead)]) writeFileSync(path.join(folder, name), '');
    writeFileSync(living.path, '');
    beginPartial(path.join(folder, 'other.txt')).discard();
    expect(names()).toEqual([...kept, path.basename(living.path), 'a.txt'].sort());
    living.discard();
  });
});
