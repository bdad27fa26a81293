import path from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  inRas,
  int16,
  int16Big,
  metaHead,
  refused,
  save,
  short,
  upright,
  values,
} from '../../../test/imaging/text-header-fixture.ts';
import { readScan, readScanHeader } from './scan.ts';

describe('MetaImage', () => {
  it.each<[string, () => string]>([
    ['local', () => save('.mha', metaHead([...short, upright]), int16)],
    [
      'big endian',
      () => save('.mha', metaHead([...short, upright, 'BinaryDataByteOrderMSB = True']), int16Big),
    ],
    [
      'packed',
      () => save('.mha', metaHead([...short, upright, 'CompressedData = True']), deflateSync(int16)),
    ],
    [
      'a file apart, behind a header of its own',
      () => {
        const data = path.basename(save('.raw', '12345', int16));
        return save('.mhd', metaHead([...short, upright, 'HeaderSize = 5'], data));
      },
    ],
    [
      'the end of a file apart, and other names of fields',
      () => {
        const data = path.basename(save('.raw', '12345', int16));
        const old = [
          'ElementType = MET_SHORT',
          'ElementSize = 1 2 3',
          'Position = 10 20 30',
          'BinaryData = True',
        ];
        return save('.mhd', metaHead([...old, 'Orientation = 1 0 0 0 1 0 0 0 1', 'HeaderSize = -1'], data));
      },
    ],
  ])('%s', async (_, make) => {
    const scan = await readScan(make());
    expect([...scan.data]).toEqual(values);
    expect(scan.affine).toEqual(inRas);
    expect(scan.header).toMatchObject({ format: 'MetaImage', oriented: true });
  });

  it('has the direction of an axis in a row of its matrix', async () => {
    // i runs to the back, j to the head, k to the left.
    const matrix = 'TransformMatrix = 0 1 0 0 0 1 1 0 0';
    const { affine } = await readScanHeader(save('.mha', metaHead([...short, matrix]), int16));
    expect(affine).toEqual([0, 0, -3, -10, -1, 0, 0, -20, 0, 2, 0, 30, 0, 0, 0, 1]);
  });

  it.each<[string, () => string, RegExp]>([
    [
      'two dimensions',
      () => save('.mha', 'NDims = 2\nElementDataFile = LOCAL\n'),
      /NDims: expected 3, found 2/,
    ],
    [
      'colour',
      () => save('.mha', metaHead([...short, 'ElementNumberOfChannels = 3']), int16),
      /ElementNumberOfChannels: expected 1, found 3/,
    ],
    [
      'text that is none',
      () => save('.mha', metaHead([...short, 'BinaryData = False']), 'x'.repeat(40)),
      /voxels: expected intact data, found damaged data/,
    ],
    [
      'a list without files',
      () => save('.mhd', metaHead(short, 'LIST')),
      /ElementDataFile: expected 2 files, one for each slice, found 0/,
    ],
    [
      'no element type',
      () => save('.mha', metaHead([]), int16),
      /ElementType: expected this field, found nothing/,
    ],
    ['no end', () => save('.mha', 'NDims = 3\n'), /ElementType|DimSize|ElementDataFile/],
    [
      'a size of zero',
      () => save('.mha', metaHead(short).replace('3 2 2', '3 0 2'), int16),
      /DimSize: expected positive whole numbers, found 3 0 2/,
    ],
    [
      'voxels that are missing',
      () => save('.mha', metaHead(short), int16.subarray(2)),
      /file size: expected 24/,
    ],
    [
      'zlib that is damaged',
      () => save('.mha', metaHead([...short, 'CompressedData = True']), Buffer.alloc(40, 7)),
      /gzip stream: expected intact data/,
    ],
  ])('refuses %s', async (_, make, message) => {
    expect(await refused(make())).toMatch(message);
  });
});
