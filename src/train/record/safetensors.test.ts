import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openSafetensors, writeSafetensors } from './safetensors.ts';
import { repeatedKey } from './safetensors-header.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-safetensors-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;

/** A file with a header as given, in the way of another writer. */
function fileWith(header: string, dataBytes: number, numbers = Buffer.alloc(dataBytes)): string {
  const file = path.join(folder, `${files++}.safetensors`);
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(file, Buffer.concat([length, text, numbers]));
  return file;
}

const tensor = (from: number, to: number, shape = [(to - from) / 4], dtype = 'F32') =>
  JSON.stringify({ dtype, shape, data_offsets: [from, to] });

async function readAllOf(file: string): Promise<number[][]> {
  const opened = await openSafetensors(file);
  try {
    const all: number[][] = [];
    for (const name of opened.tensors.keys()) all.push([...(await opened.read(name))]);
    return all;
  } finally {
    await opened.close();
  }
}

describe('safetensors files of others', () => {
  it('are read without sums', async () => {
    expect(await readAllOf(fileWith(`{"a":${tensor(0, 8)},"b":${tensor(8, 12)}}`, 12))).toEqual([
      [0, 0],
      [0],
    ]);
  });

  it.each([
    [
      'an overlap',
      `{"a":${tensor(0, 8)},"b":${tensor(4, 12)}}`,
      12,
      'tensor "b" from byte 8 of the numbers on, found 4',
    ],
    [
      'a gap',
      `{"a":${tensor(0, 4)},"b":${tensor(8, 12)}}`,
      12,
      'tensor "b" from byte 4 of the numbers on, found 8',
    ],
    ['bytes behind the last one', `{"a":${tensor(0, 4)}}`, 8, '4 bytes of numbers, found 8'],
    ['a shape of other bytes', `{"a":${tensor(0, 8, [3])}}`, 8, '12 bytes for tensor "a", found 8'],
    [
      'an unknown type',
      `{"a":${tensor(0, 8, [2], 'constructor')}}`,
      8,
      'a known type of tensor "a", found constructor',
    ],
    [
      'a tensor twice',
      `{"a":${tensor(0, 8)},"\\u0061":${tensor(0, 8)}}`,
      8,
      'every key once, found "a" twice',
    ],
    ['metadata twice', `{"__metadata__":{"step":"1","step":"2"},"a":${tensor(0, 8)}}`, 8, '"step" twice'],
    [
      'metadata that is no text',
      `{"__metadata__":{"step":1},"a":${tensor(0, 8)}}`,
      8,
      'a fault at "__metadata__"',
    ],
    ['one sum alone', `{"__metadata__":{"crc32":"{}"},"a":${tensor(0, 8)}}`, 8, 'one of them alone'],
    ['no object', '[1]', 0, 'an object'],
  ])('are refused with %s', async (_, header, bytes, message) => {
    await expect(openSafetensors(fileWith(header, bytes))).rejects.toThrow(message);
  });

  it('are refused where a number is not finite, by tensor and place', async () => {
    const numbers = Buffer.from(Float32Array.of(0, 1, 2, 3, Number.NaN, 5).buffer);
    await expect(readAllOf(fileWith(`{"a":${tensor(0, 24, [2, 3])}}`, 24, numbers))).rejects.toThrow(
      'tensor "a" at [1, 1]; expected finite numbers, found NaN',
    );
  });

  it('are not written with numbers that are not finite: the file that is there stays', async () => {
    const file = fileWith('{}', 0);
    const before = readFileSync(file);
    const data = async () => Float32Array.of(1, Number.POSITIVE_INFINITY);
    const entry = { name: 'weight', dtype: 'F32', shape: [2], data } as const;
    await expect(writeSafetensors(file, [entry], {})).rejects.toThrow(
      'tensor "weight" at [1]; expected finite numbers, found Infinity. Nothing was written',
    );
    expect(readFileSync(file)).toEqual(before);
  });

  it('are refused where they are no files', async () => {
    await expect(openSafetensors(folder)).rejects.toThrow('is no file');
  });
});

describe('a flipped bit', () => {
  it('is found wherever it is', async () => {
    const file = path.join(folder, 'whole.safetensors');
    const data = () => Float32Array.of(1, -2, 3);
    await writeSafetensors(file, [{ name: 'net/"a"', dtype: 'F32', shape: [3], data }], { step: '12' });
    expect(await readAllOf(file)).toEqual([[1, -2, 3]]);
    const bytes = readFileSync(file);
    const hurt = path.join(folder, 'hurt.safetensors');
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] ^= 1 << (bit & 7);
      writeFileSync(hurt, changed);
      await expect(readAllOf(hurt), `bit ${bit}`).rejects.toThrow(/hurt\.safetensors/);
    }
  });
});

it('finds keys that stand twice in one object only', () => {
  expect(repeatedKey('{"a":{"b":1},"b":["a","a",{"a":"}"}]}')).toBeUndefined();
  expect(repeatedKey('[{"x\\"":1, "y": 2, "x\\"" : 3}]')).toBe('x"');
});
