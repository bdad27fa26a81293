import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type SliceFixture, writeSlices } from '../../../../test/imaging/dicom-fixture.ts';
import { encodeElements } from '../../../../test/imaging/enhanced-fixture.ts';
import { temporaryFolder } from '../../../../test/imaging/nifti-fixture.ts';
import { readScan } from '../scan.ts';

const root = temporaryFolder();
const heights = [3, 0, 6];

/** A series of three volumes of three slices, whose voxels are 10 times the number of the volume and the height. */
function series(marks: (volume: number, slice: number) => Partial<SliceFixture>): string {
  const files = [2, 0, 1].flatMap((volume) =>
    heights.map((z, slice) => ({
      ...{ position: [0, 0, z], values: Array(6).fill(10 * volume + z), instance: 1 + slice + 3 * volume },
      ...marks(volume, slice),
    })),
  );
  const dir = mkdtempSync(path.join(root, 'volumes-'));
  return writeSlices(dir, Object.fromEntries(files.map((file, n) => [`${n}.dcm`, file])));
}

const more = (tag: number, vr: string, value: string): Partial<SliceFixture> => ({
  more: encodeElements([[tag, vr, value]]),
});

describe('a series of several volumes', () => {
  it.each<[string, (volume: number, slice: number) => Partial<SliceFixture>, string]>([
    [
      'echoes',
      (n) => more(0x00180081, 'DS', `${2.5 * (n + 1)}`),
      '0 (Echo Time 2.5, 3 slices); 1 (Echo Time 5,',
    ],
    ['images of fat', (n) => ({ imageType: `DERIVED\\${'FIW'[n]}` }), '0 (Image Type DERIVED F, 3 slices)'],
    // At no two places the same numbers.
    ['acquisitions', (n, z) => more(0x00200012, 'IS', `${3 * z + n}`), '0 (Acquisition Number 1, 3 slices)'],
  ])('gives one by number: %s', async (_, marks, named) => {
    const dir = series(marks);
    await expect(readScan(dir)).rejects.toThrow(`volume: expected one, found 3: ${named}`);
    for (const volume of [0, 1, 2]) {
      const { data, shape } = await readScan(dir, { volume });
      expect(shape).toEqual([3, 2, 3]);
      expect([data[0], data[6], data[12]]).toEqual([0, 3, 6].map((z) => 10 * volume + z));
    }
    await expect(readScan(dir, { volume: 3 })).rejects.toThrow('found 3. Choose one by its number');
  });

  it('lists as many as a message has room for', async () => {
    const files = Array.from({ length: 40 }, (_, volume) =>
      [0, 3].map((z) => ({
        position: [0, 0, z],
        values: Array(6).fill(volume),
        ...more(0x00180081, 'DS', `${volume}.5`),
      })),
    ).flat();
    const dir = mkdtempSync(path.join(root, 'many-'));
    const series = writeSlices(dir, Object.fromEntries(files.map((file, n) => [`${n}.dcm`, file])));
    await expect(readScan(series)).rejects.toThrow(
      /found 40: 0 \(Echo Time 0\.5, 2 slices\); 1 \(.*; 16 \(Echo Time 16\.5, 2 slices\); and 23 more\. Choose/,
    );
  });

  it('is refused by its places where nothing tells them apart, or one lacks a slice', async () => {
    await expect(readScan(series(() => ({})))).rejects.toThrow('one slice at each place');
    const uneven = series((n, z) => more(0x00180081, 'DS', n === 1 && z === 0 ? '9' : `${n + 1}`));
    await expect(readScan(uneven, { volume: 0 })).rejects.toThrow('one slice at each place');
    const same = series((_, slice) => ({ values: Array(6).fill(slice) }));
    expect((await readScan(same)).shape).toEqual([3, 2, 3]);
    await expect(readScan(same, { volume: 1 })).rejects.toThrow('volume: expected 0, the only one, found 1');
  });
});
