import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  inRas,
  int16,
  int16Big,
  little,
  lps,
  nrrdHead,
  refused,
  save,
  values,
} from '../../../test/imaging/text-header-fixture.ts';
import { readScan } from './scan.ts';

describe('NRRD', () => {
  it.each<[string, () => string]>([
    ['raw', () => save('.nrrd', nrrdHead([...little, ...lps]), '\n', int16)],
    [
      'big endian',
      () => save('.nrrd', nrrdHead(['type: int16', 'endian: big', 'encoding: raw', ...lps]), '\n', int16Big),
    ],
    [
      'gzip',
      () =>
        save(
          '.nrrd',
          nrrdHead(['type: int16_t', 'endian: little', 'encoding: gz', ...lps]),
          '\n',
          gzipSync(int16),
        ),
    ],
    [
      'lines that end in CR LF',
      () => save('.nrrd', nrrdHead([...little, ...lps]).replaceAll('\n', '\r\n'), '\r\n', int16),
    ],
    [
      'a file apart, of which the last bytes count',
      () => {
        const data = path.basename(save('.raw', 'some header', int16));
        return save('.nhdr', nrrdHead([...little, ...lps, 'byte skip: -1', `data file: ${data}`]));
      },
    ],
    [
      'RAS',
      () =>
        save(
          '.nrrd',
          nrrdHead([
            ...little,
            'space: RAS',
            'space directions: (-1,0,0) (0,-2,0) (0,0,3)',
            'space origin: (-10,-20,30)',
            'key:=value',
          ]),
          '\n',
          int16,
        ),
    ],
  ])('%s', async (_, make) => {
    const scan = await readScan(make());
    expect([...scan.data]).toEqual(values);
    expect(scan.data).toBeInstanceOf(Int16Array);
    expect(scan.shape).toEqual([2, 2, 3]);
    expect(scan.affine).toEqual(inRas);
    expect(scan.header).toMatchObject({ format: 'NRRD', oriented: true });
  });

  it('without a space counts as LPS at the origin', async () => {
    const { affine, header } = await readScan(
      save('.nrrd', nrrdHead([...little, 'spacings: 1 2 3']), '\n', int16),
    );
    expect(affine).toEqual([-1, 0, 0, 0, 0, -2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 1]);
    expect(header.oriented).toBe(false);
  });

  const oneByte = ['type: uchar', 'encoding: raw'];
  it.each<[string, () => string, RegExp]>([
    ['four dimensions', () => save('.nrrd', 'NRRD0004\ndimension: 4\n\n'), /sizes: expected this field/],
    [
      'an encoding that is none',
      () => save('.nrrd', nrrdHead(['type: uchar', 'encoding: zip']), '\n'),
      /encoding: expected raw, gzip, bzip2, hex or ascii, found zip/,
    ],
    [
      'a list of files that are too few',
      () => save('.nhdr', nrrdHead([...oneByte, 'data file: LIST']), 'a.raw\n'),
      /data file: expected 2 files, one for each slice, found 1/,
    ],
    [
      'a type that is none',
      () => save('.nrrd', nrrdHead(['type: block', 'encoding: raw']), '\n'),
      /type: expected an integer or float/,
    ],
    [
      'no byte order',
      () => save('.nrrd', nrrdHead(['type: short', 'encoding: raw']), '\n', int16),
      /endian: expected this field, found nothing/,
    ],
    [
      'flat axes',
      () =>
        save(
          '.nrrd',
          nrrdHead([...oneByte, 'space: RAS', 'space directions: (1,0,0) (2,0,0) (0,0,1)']),
          '\n',
          int16,
        ),
      /space directions: expected three axes/,
    ],
    [
      'an axis without direction',
      () =>
        save('.nrrd', nrrdHead([...oneByte, 'space: RAS', 'space directions: none (1,0,0) (0,0,1)']), '\n'),
      /space directions: expected 3 vectors/,
    ],
    [
      'a scanner space',
      () => save('.nrrd', nrrdHead([...oneByte, 'space: scanner-xyz']), '\n'),
      /space: expected right-anterior/,
    ],
    [
      'voxels that are missing',
      () => save('.nrrd', nrrdHead(little), '\n', int16.subarray(1)),
      /file size: expected 24 bytes of voxels .*found 23/,
    ],
    [
      'gzip that is cut short',
      () =>
        save(
          '.nrrd',
          nrrdHead(['type: short', 'endian: little', 'encoding: gzip']),
          '\n',
          gzipSync(int16).subarray(0, 20),
        ),
      /gzip stream: expected a complete stream/,
    ],
    [
      'voxels beyond memory',
      () => save('.nrrd', 'NRRD0004\ndimension: 3\nsizes: 99999 99999 999\ntype: uchar\nencoding: raw\n\n'),
      /sizes: expected at most/,
    ],
    ['an empty file', () => save('.nrrd'), /magic: expected "NRRD" at the start, found an empty file/],
    [
      'voxels in a file that is not there',
      () => save('.nhdr', nrrdHead([...oneByte, 'data file: none.raw'])),
      /none\.raw: path: expected a file/,
    ],
  ])('refuses %s', async (_, make, message) => {
    expect(await refused(make())).toMatch(message);
  });
});
