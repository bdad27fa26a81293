import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadLabelBox, loadLabels } from '../../dataset/labels.ts';
import { readScan } from '../scan.ts';
import { pictureGrid } from './picture-grid.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'outlines-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

type Ring = readonly (readonly [number, number])[];
const [height, width] = [23, 31];
const grid = pictureGrid(height, width, 0.0005, 0.0005);
const names = ['background', 'Gland', 'Tumour'];

const feature = (name: string | undefined, type: string, coordinates: unknown) => ({
  type: 'Feature',
  geometry: { type, coordinates },
  properties: { objectType: 'annotation', ...(name && { classification: { name, color: [1, 2, 3] } }) },
});
const box = (x0: number, y0: number, x1: number, y1: number): Ring => [
  [x0, y0],
  [x1, y0],
  [x1, y1],
  [x0, y1],
  [x0, y0],
];

function write(content: unknown): string {
  const file = path.join(folder, 'a.geojson');
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  writeFileSync(file, text);
  return file;
}
const collection = (features: readonly unknown[]) => ({ type: 'FeatureCollection', features });

const labelsOf = async (content: unknown): Promise<number[]> => [
  ...(await loadLabels(write(content), grid, names)).data,
];

/** The label of each pixel by a function of its row and column. */
const pixels = (at: (row: number, column: number) => number): number[] =>
  Array.from({ length: height * width }, (_, n) => at(Math.floor(n / width), n % width));

test('polygons have their classes, holes are holes, and the higher value lies above', async () => {
  const content = collection([
    feature('tumour', 'Polygon', [box(4, 3, 20, 15), box(8, 6, 12, 9)]),
    feature('Gland', 'MultiPolygon', [[box(0, 0, 6, 6)], [box(25, 18, 40, 40)]]),
  ]);
  const wanted = pixels((row, column) => {
    const inTumour = row >= 3 && row < 15 && column >= 4 && column < 20;
    const inHole = row >= 6 && row < 9 && column >= 8 && column < 12;
    if (inTumour && !inHole) return 2;
    return (row < 6 && column < 6) || (row >= 18 && column >= 25) ? 1 : 0;
  });
  expect(await labelsOf(content)).toEqual(wanted);
});

test('a bare list of features is read, as are names that are the classification itself', async () => {
  const one = {
    ...feature(undefined, 'Polygon', [box(1, 1, 3, 3)]),
    properties: { classification: 'GLAND' },
  };
  const wanted = pixels((row, column) => (row >= 1 && row < 3 && column >= 1 && column < 3 ? 1 : 0));
  expect(await labelsOf([one])).toEqual(wanted);
  expect(await labelsOf(collection([]))).toEqual(pixels(() => 0));
});

test('a pixel belongs to a polygon where its centre does, and boxes agree with the whole', async () => {
  const corner = fc.tuple(
    fc.double({ min: -9, max: 40, noNaN: true }),
    fc.double({ min: -9, max: 30, noNaN: true }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(corner, { minLength: 3, maxLength: 9 }),
      fc.nat(22),
      fc.nat(30),
      async (corners, row, column) => {
        const ring = [...corners, corners[0]];
        const file = write(collection([feature('Gland', 'Polygon', [ring])]));
        const whole = (await loadLabels(file, grid, names)).data;
        const inside = (x: number, y: number): boolean =>
          ring.slice(1).filter(([x1, y1], n) => {
            const [x0, y0] = ring[n];
            return y0 > y !== y1 > y && x < x0 + ((y - y0) * (x1 - x0)) / (y1 - y0);
          }).length %
            2 ===
          1;
        // Centres that no edge comes near.
        for (const [n, label] of whole.entries()) {
          const [x, y] = [(n % width) + 0.5, Math.floor(n / width) + 0.5];
          const clear = [1e-6, -1e-6].every(
            (d) => inside(x + d, y) === inside(x, y) && inside(x, y + d) === inside(x, y),
          );
          if (clear) expect(label).toBe(inside(x, y) ? 1 : 0);
        }
        const part = { start: [0, row, column], end: [1, height, width] } as const;
        const values = await loadLabelBox(file, grid, part, names);
        const wanted: number[] = [];
        for (let j = row; j < height; j++)
          wanted.push(...whole.subarray(j * width + column, (j + 1) * width));
        expect([...values]).toEqual(wanted);
      },
    ),
    { numRuns: 40 },
  );
});

test('what is left out is told, and rows pass by as those of other label maps', async () => {
  const content = collection([
    feature('Gland', 'Polygon', [box(1, 1, 3, 3)]),
    feature(undefined, 'Polygon', [box(1, 1, 9, 9)]),
    feature('Ink', 'Polygon', [box(1, 1, 9, 9)]),
    feature('Gland', 'Point', [3, 4]),
  ]);
  const structures = new Map([['Gland', 7]]);
  const { data, header } = await readScan(write(content), { labels: true, onto: grid, structures });
  expect([...data]).toEqual(
    pixels((row, column) => (row >= 1 && row < 3 && column >= 1 && column < 3 ? 7 : 0)),
  );
  expect(header.notes).toEqual([
    '1 outlines without a class are left out',
    'outlines of classes without a label are left out: Ink',
    '1 points and lines are left out',
  ]);
});

test.each([
  ['{"type": "FeatureCollection"', /content: expected JSON/],
  [{ type: 'Topology' }, /type: expected a FeatureCollection with features, found "Topology"/],
  [collection([7]), /features.0.type: expected a Feature, found 7/],
  [collection([feature('Ink', 'Polygon', [box(0, 0, 1, 1)])]), /expected one of Gland, Tumour, found Ink/],
  [
    collection([feature('Gland', 'Circle', [])]),
    /features.0.geometry.type: expected Polygon or MultiPolygon/,
  ],
  [collection([feature('Gland', 'Polygon', [[[0, 0]]])]), /ring 0: expected at least four corners/],
  [
    collection([
      feature('Gland', 'Polygon', [
        [
          [0, 0],
          [1, 'x'],
          [1, 1],
          [0, 0],
        ],
      ]),
    ]),
    /ring 0, corner 1/,
  ],
])('what is no outline is refused: %j', async (content, message) => {
  await expect(labelsOf(content)).rejects.toThrow(message);
});

test('lists within lists, however many, are refused in a few words', async () => {
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  await expect(labelsOf(deep)).rejects.toThrow(/features\.0\.type: expected a Feature, found \[{77}\.{3}$/);
});
