import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../../test/imaging/nifti-fixture.ts';
import { createOutlineWriter } from './geojson-write.ts';

const folder = temporaryFolder();

it('outlines are features of GeoJSON with the names and colours of classes', async () => {
  const file = path.join(folder, 'outlines.geojson');
  const classes = new Map([
    [1, { name: 'gland "a"', colour: [0, 204, 204] as const }],
    [3, { name: 'tumour', colour: [255, 51, 51] as const }],
  ]);
  const writer = await createOutlineWriter(file, 4, classes);
  await writer.rows(Uint8Array.from([1, 1, 2, 3, 1, 1, 2, 2]));
  expect(readdirSync(folder).filter((name) => !name.endsWith('.partial'))).toEqual([]);
  await writer.rows(Uint8Array.from([0, 0, 3, 3]));
  await writer.finish();
  const feature = (name: string, color: number[], points: number[][]) => ({
    type: 'Feature',
    geometry: { type: 'Polygon', coordinates: [points] },
    properties: { objectType: 'annotation', classification: { name, color } },
  });
  const square = (x0: number, y0: number, x1: number, y1: number): number[][] => {
    const points = [
      [x0, y0],
      [x1, y0],
      [x1, y1],
      [x0, y1],
    ];
    return [...points, points[0]];
  };
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    type: 'FeatureCollection',
    features: [
      feature('tumour', [255, 51, 51], square(3, 0, 4, 1)),
      feature('gland "a"', [0, 204, 204], square(0, 0, 2, 2)),
      feature('tumour', [255, 51, 51], square(2, 2, 4, 3)),
    ],
  });
  const empty = await createOutlineWriter(path.join(folder, 'none.geojson'), 2, classes);
  await empty.rows(new Uint8Array(4));
  await empty.finish();
  expect(JSON.parse(readFileSync(path.join(folder, 'none.geojson'), 'utf8')).features).toEqual([]);
});

it('a part of many corners is written in pieces', async () => {
  const file = path.join(folder, 'long.geojson');
  const side = 121;
  const writer = await createOutlineWriter(
    file,
    side,
    new Map([[1, { name: 'a', colour: [1, 2, 3] as const }]]),
  );
  // Lines that hang from the first row, far enough down that its ring is longer than a piece, and holes below.
  const isInside = (row: number, column: number): boolean =>
    row === 0 || (row < 4000 ? column % 2 === 0 : row % 2 === 0 || column % 2 === 0);
  const rows = 4000 + side;
  for (let row = 0; row < rows; row++)
    await writer.rows(Uint8Array.from({ length: side }, (_, column) => (isInside(row, column) ? 1 : 0)));
  await writer.finish();
  const { features } = JSON.parse(readFileSync(file, 'utf8'));
  expect(features.length).toBe(1);
  const rings: number[][][] = features[0].geometry.coordinates;
  const twice = (ring: number[][]): number =>
    ring.slice(1).reduce((sum, [x, y], n) => sum + ring[n][0] * y - x * ring[n][1], 0);
  let inside = 0;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < side; column++) inside += isInside(row, column) ? 1 : 0;
  expect(rings.reduce((sum, ring) => sum + twice(ring), 0) / 2).toBe(inside);
  expect(rings.length).toBeGreaterThan(3000);
  for (const ring of rings) expect(ring[0]).toEqual(ring[ring.length - 1]);
});
