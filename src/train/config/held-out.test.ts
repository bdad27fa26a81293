import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Dataset } from '../../imaging/index.ts';
import { chooseCases } from '../samples/cases.ts';
import { resolveConfig, type TrainConfig } from './config.ts';
import { splitOf } from './held-out.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-split-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const dataset: Dataset = {
  dir: '/d',
  name: 'd',
  labelNames: ['background', 'liver'],
  cases: [...'abcdefg'].map((id) => ({ id, image: `${id}.nii`, label: `${id}.nii` })),
  test: [],
};

const chosen = (settings: Partial<TrainConfig>): string => {
  const { training, validation } = chooseCases(dataset, { seed: 1, ...settings });
  return [training, validation].map((cases) => cases.map(({ id }) => id).join('')).join('|');
};

const file = (name: string, content: unknown): string => {
  const at = path.join(folder, name);
  writeFileSync(at, typeof content === 'string' ? content : JSON.stringify(content));
  return at;
};

describe('folds', () => {
  it('hold every case out once, as evenly as can be, by the seed', () => {
    const folds = [0, 1, 2].map((k) => splitOf(dataset, { fold: `${k}/3`, seed: 5 }).validation);
    expect(folds.map((ids) => ids.length).sort()).toEqual([2, 2, 3]);
    expect(folds.flat().sort().join('')).toBe('abcdefg');
    expect(splitOf(dataset, { fold: '1/3', seed: 5 }).validation).toEqual(folds[1]);
    const others = [1, 2, 3, 4].map((seed) => splitOf(dataset, { fold: '1/3', seed }).validation.join(''));
    expect(new Set(others).size).toBeGreaterThan(1);
  });

  it('of all leave one out, in the order of the data set', () => {
    expect(chosen({ fold: '2/all' })).toBe('abdefg|c');
    expect(() => chosen({ fold: '7/all' })).toThrow('the data set has 7 cases; expected K below N');
    expect(() => chosen({ fold: '0/8' })).toThrow('N at most 7, found 0/8');
  });
});

describe('files of splits', () => {
  it('may list ids, in JSON or text', () => {
    expect(chosen({ validation: file('a.json', ['b', 'g']) })).toBe('acdef|bg');
    expect(chosen({ validation: file('a.txt', '# held out\nb\r\n\n g # last\n') })).toBe('acdef|bg');
    expect(chosen({ validation: file('b.json', { val: ['a'], train: ['b', 'c'] }) })).toBe('bc|a');
    expect(chosen({ validation: file('c.json', { validation: ['a'] }) })).toBe('bcdefg|a');
  });

  it("may be nnU-Net's splits_final.json, of which the fold takes one", () => {
    const splits = file('splits_final.json', [
      { train: ['a', 'b', 'c'], val: ['d'] },
      { train: ['d', 'b', 'c'], val: ['a'] },
    ]);
    expect(chosen({ validation: splits, fold: '1' })).toBe('bcd|a');
    expect(() => chosen({ validation: splits })).toThrow('holds 2 splits. Say which one with "fold"');
    expect(() => chosen({ validation: splits, fold: '2' })).toThrow('expected 0 to 1, found 2');
  });

  it.each<[unknown, string]>([
    [['x'], 'expected case ids (a, b, c, d, e, f, g), found "x"'],
    [{ val: ['a'], train: ['a', 'b'] }, 'case "a" is in both parts of the split'],
    [{ held: ['a'] }, 'names no cases; expected a list of ids, or {"validation": [ids]}'],
    [{ val: 'a' }, '"val"; expected a list of case ids, found "a"'],
    ['[', 'is not JSON'],
  ])('are refused with what is wrong: %j', (content, message) => {
    const at = file('wrong.json', content);
    expect(() => chosen({ validation: at })).toThrow(message);
    expect(() => chosen({ validation: at })).toThrow(at);
  });

  it('must be there', () => {
    expect(() => chosen({ validation: '/none/ids.txt' })).toThrow(
      '/none/ids.txt: cannot be read: there is no such file or folder (ENOENT)',
    );
  });

  it('may begin with a byte order mark, in UTF-8 or UTF-16', () => {
    const at = path.join(folder, 'marked');
    for (const [ending, text] of [
      ['txt', '\ufeffc\r\na\r\n'],
      ['json', '\ufeff["c", "a"]'],
    ])
      for (const encoding of ['utf8', 'utf16le'] as const) {
        writeFileSync(`${at}.${ending}`, text, encoding);
        expect(chosen({ validation: `${at}.${ending}` })).toBe('bdefg|ac');
      }
  });

  it('are refused in few words, whatever they hold', () => {
    const splits = file('some.json', [{ val: ['a'] }, null]);
    expect(() => chosen({ validation: splits, fold: '0/5' })).toThrow('config "fold": split of');
    expect(() => chosen({ validation: splits, fold: '1' })).toThrow(
      'expected a list of ids, or {"validation": [ids]}, found null',
    );
    expect(() => chosen({ validation: ['A'.repeat(5000)] })).toThrow(/found "A{76}\.\.\.$/);
    expect(() => chosen({ validation: file('other.json', { val: ['A'.repeat(5000), 1] }) })).toThrow(
      /"val"; expected a list of case ids, found \["A+\.\.\.$/,
    );
  });

  it('are found whatever the form of their letters', () => {
    const id = 'gr\u00fcn';
    const cases = [id, 'c'].map((one) => ({ id: one, image: `${one}.nii`, label: `${one}.nii` }));
    const config = { seed: 1, fold: undefined, validation: [id.normalize('NFD')] };
    expect(splitOf({ ...dataset, cases }, config)).toEqual({ validation: [id] });
  });

  it('are told to those whose ids have commas', () => {
    const cases = ['a,b', 'c', 'd'].map((id) => ({ id, image: `${id}.nii`, label: `${id}.nii` }));
    const config = { seed: 1, fold: undefined };
    const given = (validation: string[]) => splitOf({ ...dataset, cases }, { ...config, validation });
    // As the command line cuts "a,b,c".
    expect(given(['a', 'b', 'c'])).toEqual({ validation: ['a,b', 'c'] });
    expect(() => given(['b', 'c'])).toThrow(
      'expected case ids (a,b, c, d), found "b". The id "a,b" has a comma in it: give it whole',
    );
    expect(splitOf({ ...dataset, cases }, { ...config, validation: file('comma.txt', 'a,b\n') })).toEqual({
      validation: ['a,b'],
    });
    // The lines of a file are whole.
    const more = [...cases, ...['a', 'b'].map((id) => ({ id, image: `${id}.nii`, label: `${id}.nii` }))];
    expect(
      splitOf({ ...dataset, cases: more }, { ...config, validation: file('lines.txt', 'a\nb\n') }).validation,
    ).toEqual(['a', 'b']);
  });
});

it.each<[object, string]>([
  [{ fold: '5/5' }, 'K from 0 to below N'],
  [{ fold: 'one' }, 'config "fold": expected K/N or K/all'],
  [{ fold: '1' }, 'or a file of splits as "validation", found "1"'],
  [
    { fold: '0/5', validation: ['a'] },
    'config "fold": expected nothing beside cases held out by "validation"',
  ],
  [{ fold: '0/5', validation: 'splits.json' }, 'expected the number of a split in'],
])('a config refuses %j', (given, message) => {
  expect(() => resolveConfig({ data: 'd', out: 'o', ...given })).toThrow(message);
});
