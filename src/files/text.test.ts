import { describe, expect, it } from 'vitest';
import { decodeText } from '../core/index.ts';
import { parseJson } from './text.ts';

const bytes = (...parts: readonly (number | string)[]): Buffer =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : Buffer.from(part, 'latin1'))),
  );

describe('decodeText', () => {
  it('takes byte order marks as what they are', () => {
    expect(decodeText(bytes('{"a": 1}'))).toBe('{"a": 1}');
    expect(decodeText(bytes(0xef, 0xbb, 0xbf, '{"a": 1}'))).toBe('{"a": 1}');
    expect(decodeText(bytes(0xff, 0xfe, 'ä\0b\0'))).toBe('äb');
    expect(decodeText(bytes(0xfe, 0xff, '\0ä\0b'))).toBe('äb');
  });

  it('refuses half a character of UTF-16', () => {
    expect(() => decodeText(bytes(0xff, 0xfe, 'a'))).toThrow(SyntaxError);
  });
});

describe('parseJson', () => {
  it('refuses what is nested deeper than any file of ours, in strings it does not count', () => {
    const nested = (n: number) => '['.repeat(n) + ']'.repeat(n);
    expect(parseJson(nested(200))).toBeInstanceOf(Array);
    expect(() => parseJson(nested(201))).toThrow(/200 brackets/);
    expect(() => parseJson('{"a":'.repeat(20_000))).toThrow(SyntaxError);
    expect(parseJson(JSON.stringify(['['.repeat(300), '\\"{'.repeat(300)]))).toHaveLength(2);
  });
});
