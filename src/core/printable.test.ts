import { describe, expect, it } from 'vitest';
import { HalomeshError } from './errors.ts';
import { printable, printableLines, shortened, shownValue } from './printable.ts';

describe('printable', () => {
  it('writes out what a terminal would obey', () => {
    expect(printable('a\x1b[2Jb\x07\x7f\x9b')).toBe('a\\x1b[2Jb\\x07\\x7f\\x9b');
    expect(printable('one\r\ntwo\tthree')).toBe('one\\r\\ntwo\\tthree');
    expect(printable('left\u202eright\u2028\ufeff')).toBe('left\\u202eright\\u2028\\ufeff');
    expect(printable('half \ud800 pair')).toBe('half \\ud800 pair');
  });

  it('leaves letters of all scripts and whole pairs alone', () => {
    expect(printable('Größe 肝臓 µm³ 🫁')).toBe('Größe 肝臓 µm³ 🫁');
  });

  it('keeps lines where asked to', () => {
    expect(printableLines('a\nb\x1bc')).toBe('a\nb\\x1bc');
  });

  it('is part of every error', () => {
    const error = new HalomeshError({ where: 'a\x1b[2J', problem: 'bad', found: 'x\x07' });
    expect(error.message).toBe('a\\x1b[2J: bad; found x\\x07');
  });

  it('is shortened', () => {
    expect(shortened('/folder/of/scans/scan.nii', 25)).toBe('/folder/of/scans/scan.nii');
    expect(shortened('/folder/of/many/scans/scan.nii', 23)).toBe('/folder/of/man...an.nii');
    expect(shownValue(['x'.repeat(99)])).toBe(`["${'x'.repeat(75)}...`);
    expect(shownValue(undefined)).toBe('nothing');
    expect(shownValue({ a: [1, { b: null }], c: undefined, d: 2n })).toBe('{"a":[1,{"b":null}],"d":"2"}');
    const deep: unknown = JSON.parse('['.repeat(20_000) + ']'.repeat(20_000));
    expect(shownValue(deep)).toBe(`${'['.repeat(77)}...`);
    expect(shownValue({ deep })).toBe(`{"deep":${'['.repeat(69)}...`);
    const { message } = new HalomeshError({ where: `/${'d'.repeat(5000)}/x.nii`, problem: 'is bad' });
    expect(message).toMatch(/^\/d{300,500}\.{3}d{100,300}\/x\.nii: is bad$/);
  });
});
