import { describe, expect, it } from 'vitest';
import { classNamesProblem, idProblem, refuseSameNames } from './dataset-names.ts';

describe('classNamesProblem', () => {
  it.each([
    [['background', '__proto__', 'constructor', 'a+b', 'x=y', 'größe', 'left kidney', 'a/b', '肝']],
    [['a', 'A']],
    [Array.from({ length: 256 }, (_, n) => `class ${n}`)],
  ])('takes %j', (names) => {
    expect(classNamesProblem(names)).toBeUndefined();
  });

  it.each([
    [[undefined, 'liver'], 'no name for 0'],
    [['background', null], 'no name for 1'],
    [['background', ''], 'an empty name for 1'],
    [['background', ' '], 'an empty name for 1'],
    [['a', 'b', 'a'], '"a" for both 0 and 2'],
    [['a', 'b\x1b[2J'], 'control characters in the name of 1: "b\\x1b[2J"'],
    [['a', 'x'.repeat(101)], 'a name of 101 characters for 1'],
    [Array.from({ length: 257 }, (_, n) => `${n}`), '257 names'],
  ])('refuses %j', (names, problem) => {
    expect(classNamesProblem(names)).toContain(problem);
  });

  it('sees a hole', () => {
    const names: string[] = [];
    names[1] = 'liver';
    expect(classNamesProblem(names)).toBe('no name for 0');
  });
});

describe('idProblem', () => {
  it.each(['a', '__proto__', 'constructor', 'a,b', 'größe', 'case 1', 'a..b', 'a.nii'])('takes %s', (id) => {
    expect(idProblem(id)).toBeUndefined();
  });

  it.each([
    '',
    '.',
    '..',
    '../x',
    'a/b',
    'a\\b',
    '/etc',
    '.zattrs',
    'a\nb',
    ' a',
    'x'.repeat(201),
    'é'.repeat(101),
  ])('refuses %j', (id) => {
    expect(idProblem(id)).toBeDefined();
  });
});

describe('refuseSameNames', () => {
  it('refuses ids that a disk may take for one', () => {
    for (const ids of [
      ['a', 'A'],
      ['é', 'e\u0301'],
      ['Ü', 'u\u0308'],
    ])
      expect(() => refuseSameNames(ids, 'data')).toThrow(/data: cases: expected ids that differ/);
    expect(() => refuseSameNames(['a', 'b', '__proto__'], 'data')).not.toThrow();
  });
});
