import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { writePhantom } from '../../imaging/index.ts';
import { run } from '../program.ts';

const root = temporaryFolder();
let printed: string[];
let told: string;

beforeEach(() => {
  printed = [];
  told = '';
  vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(String(text)));
  vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const halomesh = (...args: string[]) =>
  run(args, (text) => {
    told += text;
  });

describe('halomesh verify', () => {
  it('prints a table and ends with 0 where all is good', async () => {
    const dir = path.join(root, 'good');
    await writePhantom({ out: dir, size: 16, cases: 2 });
    expect(await halomesh('verify', dir)).toBe(0);
    const [table] = printed;
    expect(table).toMatch(/^halomesh phantom: 2 cases, 0 faults, \d warnings?\n/);
    expect(table).toMatch(/\| phantom_000 \| NIfTI +\| +16 x 16 x 16 \| +24 x 24 x 24 \| RAS /);
    expect(table).toMatch(
      /warning: .*phantom_000\.nii\.gz: spacing: expected 0\.1 to 10 mm, found 24 x 24 x 24 mm/,
    );
  });

  it('ends with 1 where something is wrong, with file and field, and as JSON', async () => {
    const dir = path.join(root, 'bad');
    await writePhantom({ out: dir, size: 16, cases: 2 });
    writeFileSync(path.join(dir, 'labelsTr', 'phantom_001.nii.gz'), 'no image');
    expect(await halomesh('verify', dir)).toBe(1);
    expect(printed[0]).toMatch(/\n\| phantom_001 .*\| 1 fault +\|/);
    expect(printed[0]).toMatch(/\nfault: .*labelsTr\/phantom_001\.nii\.gz: sizeof_hdr: expected 348/);
    expect(told).toMatch(/^halomesh: .*bad has 1 fault\n$/);
    expect(await halomesh('verify', dir, '--json')).toBe(1);
    expect(JSON.parse(printed[1])).toMatchObject({
      faults: 1,
      cases: [{ id: 'phantom_000' }, { id: 'phantom_001' }],
    });
  });

  it('refuses a folder that holds no data set in one line', async () => {
    const dir = path.join(root, 'none');
    mkdirSync(dir);
    expect(await halomesh('verify', dir)).toBe(1);
    expect(told).toMatch(
      /^halomesh: .*none: dataset: expected dataset\.json, imagesTr or cases with segmentations, found none/,
    );
    expect(printed).toEqual([]);
  });
});

describe('halomesh fingerprint', () => {
  it('prints tables, and writes the same as JSON', async () => {
    const dir = path.join(root, 'printed');
    const out = path.join(root, 'fingerprint.json');
    await writePhantom({ out: dir, size: 16, cases: 2 });
    expect(await halomesh('fingerprint', dir, '--out', out)).toBe(0);
    expect(printed[0]).toMatch(/^halomesh phantom: 2 labelled cases, axes 2 RAS\n/);
    expect(printed[0]).toMatch(/\n\| all but background \|/);
    expect(await halomesh('fingerprint', dir, '--json')).toBe(0);
    expect(readFileSync(out, 'utf8')).toBe(`${printed.at(-1)}\n`);
    expect(JSON.parse(printed.at(-1)!).all.classes[1].name).toBe('liver');
  });

  it('refuses a file that is there before it reads anything', async () => {
    const out = path.join(root, 'there.json');
    writeFileSync(out, 'something');
    expect(await halomesh('fingerprint', 'nowhere', '--out', out)).toBe(1);
    expect(told).toMatch(/there\.json: the output is there already/);
    expect(readFileSync(out, 'utf8')).toBe('something');
  });
});
