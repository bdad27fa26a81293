import { mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { dicomBytes } from '../../../../test/imaging/dicom-fixture.ts';
import { type Elements, encodeElements, items } from '../../../../test/imaging/enhanced-fixture.ts';
import { temporaryFolder } from '../../../../test/imaging/nifti-fixture.ts';
import { ImagingError } from '../../volume/errors.ts';
import { canonicalGrid, toCanonical } from '../../volume/orientation.ts';
import type { ScanReadOptions } from '../../volume/scan-types.ts';
import type { Grid } from '../../volume/volume.ts';
import { readScan } from '../scan.ts';
import { fillPolygons } from './polygons.ts';

const root = temporaryFolder();

/** 8 x 7 x 5 voxels of 2 x 3 x 4 mm (i, j, k) in LPS from (-10, -20, 30). */
const grid: Grid = { shape: [5, 7, 8], affine: [-2, 0, 0, 10, 0, -3, 0, 20, 0, 0, 4, 30, 0, 0, 0, 1] };
/** LPS mm of voxel indices. */
const mm = (i: number, j: number, k: number) => [-10 + 2 * i, -20 + 3 * j, 30 + 4 * k];
/** The corners of a box in slice k. */
const box = (k: number, [i0, i1]: readonly number[], [j0, j1]: readonly number[]) =>
  [
    [i0, j0],
    [i1, j0],
    [i1, j1],
    [i0, j1],
  ].flatMap(([i, j]) => mm(i, j, k));

interface Roi {
  readonly number: number;
  readonly name: string;
  readonly contours: readonly (readonly number[])[];
  readonly kind?: string;
}

function structFile(rois: readonly Roi[]): string {
  const dir = mkdtempSync(path.join(root, 'struct-'));
  const elements: Elements = [
    [
      0x30060020,
      'SQ',
      items(
        ...rois.map(
          ({ number, name }): Elements => [
            [0x30060022, 'IS', `${number}`],
            [0x30060026, 'LO', name],
          ],
        ),
      ),
    ],
    [
      0x30060039,
      'SQ',
      items(
        ...rois.map(
          ({ number, contours, kind = 'CLOSED_PLANAR' }): Elements => [
            [
              0x30060040,
              'SQ',
              items(
                ...contours.map(
                  (points): Elements => [
                    [0x30060042, 'CS', kind],
                    [0x30060046, 'IS', `${points.length / 3}`],
                    [0x30060050, 'DS', points.join('\\')],
                  ],
                ),
              ),
            ],
            [0x30060084, 'IS', `${number}`],
          ],
        ),
      ),
    ],
  ];
  const file = path.join(dir, 'rs.dcm');
  const more = encodeElements(elements);
  writeFileSync(file, dicomBytes({ modality: 'RTSTRUCT', values: null, more }));
  return file;
}

const liver: Roi = { number: 4, name: 'Liver', contours: [box(1, [1, 5], [1, 4]), box(2, [1, 5], [1, 4])] };
const tumour: Roi = { number: 2, name: 'TUMOUR', contours: [box(1, [2.5, 4.5], [1.5, 3.5])] };
const body: Roi = { number: 300, name: 'body', contours: [box(0, [-0.5, 7.5], [-0.5, 6.5])] };
const structures = new Map([
  ['liver', 1],
  ['tumour', 2],
]);

const read = (rois: readonly Roi[], options: ScanReadOptions = {}) =>
  readScan(structFile(rois), { labels: true, onto: grid, ...options });

async function refused(rois: readonly Roi[], options: ScanReadOptions = {}): Promise<string> {
  const error = await read(rois, options).then(
    () => 'nothing was refused',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ImagingError);
  return (error as ImagingError).message;
}

/** Voxels (i, j) of a slice that have a value. */
const found = (data: ArrayLike<number>, k: number, value: number): string[] =>
  Array.from({ length: 56 }, (_, n) => n)
    .filter((n) => data[56 * k + n] === value)
    .map((n) => `${n % 8},${Math.floor(n / 8)}`);

describe('a structure set', () => {
  it('is a label map on the grid of its image, by the names of labels, higher values over lower ones', async () => {
    const { data, affine, shape } = await read([liver, tumour, body], { structures });
    expect([shape, affine]).toEqual([grid.shape, grid.affine]);
    // Centres on an edge count where the inside lies at higher numbers.
    const inside = [1, 2, 3].flatMap((j) => [1, 2, 3, 4].map((i) => `${i},${j}`));
    const core = ['3,2', '4,2', '3,3', '4,3'];
    expect(found(data, 2, 1)).toEqual(inside);
    expect(found(data, 1, 2)).toEqual(core);
    expect(found(data, 1, 1)).toEqual(inside.filter((place) => !core.includes(place)));
    expect([0, 3, 4].every((k) => found(data, k, 0).length === 56)).toBe(true);
  });

  it('lies on the same voxels whatever the order of axes of the image', async () => {
    // No edge runs through the centre of a voxel.
    const off = { ...liver, contours: [box(1, [0.6, 4.6], [0.7, 3.8]), box(2, [0.6, 5.2], [1.4, 3.8])] };
    const rois = [off, { ...tumour, contours: [box(1, [2.6, 4.4], [1.6, 3.4])] }];
    const { data } = toCanonical(await read(rois, { structures })).volume;
    const ras = await read(rois, { structures, onto: canonicalGrid(grid) });
    expect([...ras.data]).toEqual([...data]);
    // Planes across the first axis.
    const turned: Grid = {
      shape: [8, 7, 5],
      affine: [0, 0, -2, 10, 0, -3, 0, 20, 4, 0, 0, 30, 0, 0, 0, 1],
    };
    const across = await read(rois, { structures, onto: turned });
    expect([...toCanonical(across).volume.data]).toEqual([...data]);
  });

  it('leaves out holes, and has its own numbers where no names are known', async () => {
    const ring = { ...liver, contours: [box(3, [0.5, 6.5], [0.5, 5.5]), box(3, [1.5, 5.5], [1.5, 4.5])] };
    for (const kind of ['CLOSED_PLANAR', 'CLOSEDPLANAR_XOR']) {
      const { data } = await read([{ ...ring, kind }]);
      expect(found(data, 3, 4)).toHaveLength(6 * 5 - 4 * 3);
    }
    const { header } = await read([{ ...liver, contours: [box(0, [1, 5], [1, 4]), box(4, [1, 5], [1, 4])] }]);
    expect(header.notes).toEqual(['Liver has contours on 2 of the 5 slices that it reaches over']);
  });

  it.each<[string, readonly Roi[], ScanReadOptions, string]>([
    ['without an image', [liver], { onto: undefined }, 'grid: expected an image that the contours lie on'],
    ['of other names', [body], { structures }, 'ROI Name: expected one of liver, tumour, found body'],
    ['of numbers above 255', [body], {}, 'ROI Number: expected a number from 1 to 255, found 300 of body'],
    ['that overlap without names', [liver, tumour], {}, 'structures: expected ones that do not overlap'],
    ['of points', [{ ...liver, kind: 'POINT' }], {}, 'CLOSED_PLANAR or CLOSEDPLANAR_XOR, found POINT'],
    [
      'between slices',
      [{ ...liver, contours: [box(1.4, [1, 5], [1, 4])] }],
      {},
      'expected a contour on a slice of the image, found one 0.40 slices beside slice 1',
    ],
    [
      'beyond the slices',
      [{ ...liver, contours: [box(5, [1, 5], [1, 4])] }],
      {},
      'slices 0 to 4 of the image',
    ],
    [
      'of two points',
      [{ ...liver, contours: [box(1, [1, 5], [1, 4]).slice(6)] }],
      {},
      'three or more points',
    ],
    [
      'twice',
      [liver, { ...liver, number: 5 }],
      { structures },
      'structures: expected each once, found Liver',
    ],
  ])('is refused %s', async (_, rois, options, message) => {
    expect(await refused(rois, options)).toContain(message);
  });
});

describe('polygons', () => {
  it('side by side share no voxel and leave none out', () => {
    const plane = { from: 0, step: 1, row: 9, width: 9, height: 9 };
    const corner = [4, 4] as const;
    const ends = [
      [0, 0],
      [8, 1],
      [8, 8],
      [1, 8],
    ] as const;
    const counts = new Uint8Array(81);
    for (const [n, end] of ends.entries())
      fillPolygons([[corner, end, ends[(n + 1) % 4]]], plane, (at) => counts[at]++);
    const whole = new Uint8Array(81);
    fillPolygons([ends], plane, (at) => whole[at]++);
    expect([...counts]).toEqual([...whole]);
    expect(whole.filter((n) => n === 1).length).toBeGreaterThan(40);
  });
});
