import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writePhantom } from '../imaging/index.ts';
import { run as runCommand } from './program.ts';

const root = mkdtempSync(path.join(tmpdir(), 'halomesh-cross-cli-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const data = path.join(root, 'data');
beforeAll(async () => {
  await writePhantom({ out: data, size: 14, cases: 4 });
});

describe('cross-validate', () => {
  it('takes the splits of a file', async () => {
    const splits = path.join(root, 'splits.json');
    const ids = [0, 1, 2, 3].map((n) => `phantom_00${n}`);
    writeFileSync(
      splits,
      JSON.stringify([
        { train: ids.slice(1), val: ids.slice(0, 1) },
        { train: ids.slice(0, 3), val: ids.slice(3) },
      ]),
    );
    const out = path.join(root, 'of-file');
    const args = [
      '--data',
      data,
      '--out',
      out,
      '--base',
      '4',
      '--levels',
      '2',
      '--steps',
      '1',
      '--threads',
      '1',
    ];
    expect(await runCommand(['cross-validate', ...args, '--validation', splits, '--no-surfaces'])).toBe(0);
    expect(existsSync(path.join(out, 'fold_1', 'evaluation', 'summary.md'))).toBe(true);
    const { original } = JSON.parse(readFileSync(path.join(out, 'summary.json'), 'utf8'));
    expect(original.cases).toMatchObject([
      { id: 'phantom_000', fold: 0 },
      { id: 'phantom_003', fold: 1 },
    ]);
    const errors: string[] = [];
    const again = ['cross-validate', ...args, '--validation', splits, '--folds', '3'];
    expect(await runCommand(again, (text) => errors.push(text))).not.toBe(0);
    expect(errors.join('')).toContain('found 3 folds');
  });
});
