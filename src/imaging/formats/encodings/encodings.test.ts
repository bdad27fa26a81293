import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  inRas,
  int16,
  little,
  lps,
  metaHead,
  nrrdHead,
  refused,
  root,
  save,
  short,
  upright,
  values,
} from '../../../../test/imaging/text-header-fixture.ts';
import { readScan } from '../scan.ts';
import { unpackBzip2 } from './bzip2.ts';

// Encodings of NRRD and MetaImage beside plain and gzip, files for each slice, and lists of one element.

/** The voxels, packed by bzip2 1.0.8. */
const bzip2 = Buffer.from(
  'QlpoOTFBWSZTWUZd2csAAAlAAP/AAAOgACGmgAEDQNDirPE1eWgGDT3i7kinChIIy7s5YA==',
  'base64',
);
const hex = int16.toString('hex');
const text = values.join(' ');

const encoded = (encoding: string): string =>
  nrrdHead(['type: short', 'endian: little', `encoding: ${encoding}`, ...lps]);

/** A file for each slice, and their names. */
function slices(pack: (bytes: Buffer) => Buffer = (bytes) => bytes, count = 2): string[] {
  const each = int16.length / count;
  return Array.from({ length: count }, (_, n) =>
    path.basename(save('.raw', pack(int16.subarray(n * each, (n + 1) * each)))),
  );
}

function counted(): string {
  for (const n of [0, 1])
    writeFileSync(path.join(root, `part${7 + 2 * n}.raw`), int16.subarray(12 * n, 12 * n + 12));
  return 'part%d.raw 7 10 2';
}

const list = [
  'NRRD0005',
  'dimension: 4',
  'sizes: 1 3 2 2',
  'kinds: list domain domain domain',
  'space: left-posterior-superior',
  'space directions: none (1,0,0) (0,2,0) (0,0,3)',
  'space origin: (10,20,30)',
  'labels: "" "x" "y y" "z"',
  ...little,
];

it.each<[string, () => string]>([
  ['bzip2', () => save('.nrrd', encoded('bzip2'), '\n', bzip2)],
  [
    'hexadecimal digits',
    () => save('.nrrd', encoded('hex'), '\n', `${hex.slice(0, 9)}\n${hex.slice(9).toUpperCase()}\n`),
  ],
  ['numbers', () => save('.nrrd', encoded('ascii'), '\n', `${text}\n`)],
  ['numbers without an end of line', () => save('.nrrd', encoded('text'), '\n', values.join('\n'))],
  [
    'a list of slices',
    () => save('.nhdr', nrrdHead([...little, ...lps, 'data file: LIST']), slices().join('\n')),
  ],
  [
    'a list of packed slices',
    () => save('.nhdr', encoded('gzip'), 'data file: LIST 2\n', `${slices(gzipSync).join('\r\n')}\n`),
  ],
  [
    'a list of one file of three dimensions',
    () => save('.nhdr', nrrdHead([...little, ...lps, 'data file: LIST 3']), slices(undefined, 1).join('\n')),
  ],
  ['slices that are counted', () => save('.nhdr', nrrdHead([...little, ...lps, `data file: ${counted()}`]))],
  ['a list axis of one element', () => save('.nrrd', `${list.join('\n')}\n\n`, int16)],
])('NRRD with %s has its voxels', async (_, make) => {
  const scan = await readScan(make());
  expect([...scan.data]).toEqual(values);
  expect([scan.shape, scan.affine]).toEqual([[2, 2, 3], inRas]);
});

it.each<[string, () => string]>([
  ['numbers', () => save('.mha', metaHead([...short, upright, 'BinaryData = False']), `${text} `)],
  ['a list of slices', () => save('.mhd', metaHead([...short, upright], 'LIST'), slices().join('\n'))],
  ['slices that are counted', () => save('.mhd', metaHead([...short, upright], counted()))],
])('MetaImage with %s has its voxels', async (_, make) => {
  const scan = await readScan(make());
  expect([...scan.data]).toEqual(values);
  expect([scan.shape, scan.affine]).toEqual([[2, 2, 3], inRas]);
});

it.each([
  ['float', [-0.5, 1e-3, Number.NaN, 3e20], '-0.5 1e-3 nan +3e20'],
  ['double', [0.1, -1e300, 7, 0], '0.1 -1e300 7 0'],
  ['uint64', [0, 2 ** 40, 3, 4], `0 ${2 ** 40} 3 4`],
  ['signed char', [-128, 127, 0, 1], '-128,127,0,1'],
] as const)('numbers of %s are those that are written', async (type, expected, written) => {
  const head = `NRRD0004\ndimension: 3\nsizes: 2 2 1\ntype: ${type}\nencoding: ascii\n\n`;
  const { data } = await readScan(save('.nrrd', head, written), { nonFinite: 'keep', as: 'float64' });
  expect([...data].map((value) => (type === 'float' ? Math.fround(value) : value))).toEqual(
    expected.map((value) => (type === 'float' ? Math.fround(value) : value)),
  );
});

describe('bzip2', () => {
  const unpack = async (bytes: Buffer, piece = 7): Promise<Buffer> => {
    let at = 0;
    const read = async () => {
      const next = bytes.subarray(at, at + piece);
      at += piece;
      return next.length > 0 ? next : undefined;
    };
    const unpacker = unpackBzip2(5, read);
    const found: Uint8Array[] = [];
    for (let next = await unpacker.next(); next !== undefined; next = await unpacker.next()) found.push(next);
    return Buffer.concat(found);
  };

  it('goes on with a further stream, whatever the pieces are', async () => {
    expect(await unpack(Buffer.concat([bzip2, bzip2]))).toEqual(Buffer.concat([int16, int16]));
    expect(await unpack(bzip2, 1)).toEqual(int16);
    expect(await unpack(bzip2, 1000)).toEqual(int16);
  });

  it('finds every changed byte and every cut', async () => {
    for (let at = 0; at < bzip2.length; at++) {
      const changed = Buffer.from(bzip2);
      changed[at] ^= 0x10;
      // The size of a block says how much room it may take, and the last bits stand for nothing.
      if (at !== 3 && at < bzip2.length - 1) await expect(unpack(changed), `byte ${at}`).rejects.toThrow();
      await expect(unpack(bzip2.subarray(0, at))).rejects.toThrow();
    }
  });
});

it.each<[string, () => string, RegExp]>([
  [
    'bzip2 that is damaged',
    () => save('.nrrd', encoded('bzip2'), '\n', Buffer.from(bzip2.with(20, 0))),
    /voxels: expected intact data, found damaged data/,
  ],
  [
    'bzip2 that is cut short',
    () => save('.nrrd', encoded('bzip2'), '\n', bzip2.subarray(0, 40)),
    /voxels: .*cut short/,
  ],
  ['half a byte', () => save('.nrrd', encoded('hex'), '\n', `${hex.slice(0, -1)} `), /half a byte/],
  [
    'letters among digits',
    () => save('.nrrd', encoded('hex'), '\n', hex.replace('f', 'g')),
    /"g" among hexadecimal digits/,
  ],
  [
    'words among numbers',
    () => save('.nrrd', encoded('ascii'), '\n', text.replace('5', 'five')),
    /"five" among numbers of int16/,
  ],
  [
    'a number too large',
    () => save('.nrrd', encoded('ascii'), '\n', text.replace('5', '99999')),
    /"99999" among numbers of int16/,
  ],
  [
    'numbers that are missing',
    () => save('.nrrd', encoded('ascii'), '\n', '1 2 3 4 5 6 7 8 9 10 11   '),
    /voxels: expected 24 bytes, found 22 bytes/,
  ],
  [
    'a slice too many',
    () => save('.nhdr', nrrdHead([...little, ...lps, 'data file: LIST']), [...slices(), 'a.raw'].join('\n')),
    /data file: expected 2 files, one for each slice, found 3/,
  ],
  [
    'a slice that is missing',
    () =>
      save('.nhdr', nrrdHead([...little, ...lps, 'data file: LIST']), [slices()[0], 'gone.raw'].join('\n')),
    /gone\.raw: path: expected a file/,
  ],
  [
    'a slice that is cut short',
    () =>
      save(
        '.nhdr',
        nrrdHead([...little, ...lps, 'data file: LIST']),
        `${slices()[0]}\n${path.basename(save('.raw', 'x'))}`,
      ),
    /file size: expected 12 bytes/,
  ],
  [
    'an endless count',
    () => save('.nhdr', nrrdHead([...little, ...lps, 'data file: a%d.raw 1 9e9 1'])),
    /expected a name with one %d/,
  ],
  [
    'a count of too many',
    () => save('.nhdr', nrrdHead([...little, ...lps, 'data file: a%d.raw 1 999999999 1'])),
    /expected a name with one %d/,
  ],
  [
    'two elements in the list',
    () => save('.nrrd', `${list.join('\n').replace('1 3 2 2', '2 3 2 2')}\n\n`, int16, int16),
    /dimension: expected 3, or 4 with a list of one element, found 4, sizes 2 3 2 2/,
  ],
  [
    'text that is compressed',
    () => save('.mha', metaHead([...short, 'BinaryData = False', 'CompressedData = True']), text),
    /BinaryData: expected True/,
  ],
])('refuses %s', async (_, make, message) => {
  expect(await refused(make())).toMatch(message);
});
