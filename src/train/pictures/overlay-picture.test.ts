import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Shape3 } from '../../imaging/index.ts';
import { CLASS_COLORS, drawOverlay } from './index.ts';
import { layoutOf } from './overlay-layout.ts';
import { box, distance, pixel, read } from './pictures.testing.ts';
import { thinned } from './slice.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'halomesh-overlay-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('overlay of a picture', () => {
  it('shows it once, as it lies in its file, with up to a pixel for each of its own', () => {
    const shape: Shape3 = [1, 200, 300];
    const image = new Float32Array(200 * 300).fill(0.2);
    // Light in the first rows and columns.
    for (let r = 0; r < 60; r++) image.fill(0.9, r * 300, r * 300 + 90);
    const prediction = box(shape, [0, 20, 30], [1, 160, 120]);
    const file = join(dir, 'picture.png');
    const options = { image, prediction, shape, spacing: [5e-4, 5e-4, 5e-4] as Shape3, file, picture: true };
    drawOverlay({ ...options, range: [0, 1] });
    const { panels, scale } = layoutOf(options, [1]);
    expect(panels).toHaveLength(1);
    const [{ x, y, width, height }] = panels;
    expect([width, height]).toEqual([300, 200]);
    expect(scale).toBeCloseTo(2000, 6);
    const png = read(file);
    expect(pixel(png, x + 10, y + 10)).toEqual([229, 229, 229]);
    expect(pixel(png, x + 290, y + 190)).toEqual([51, 51, 51]);
    // The outline where the label begins: in column 30, and in row 20.
    const color = CLASS_COLORS[0][1];
    expect(distance(pixel(png, x + 30, y + 100), color)).toBeLessThan(90);
    expect(distance(pixel(png, x + 80, y + 20), color)).toBeLessThan(90);
    expect(distance(pixel(png, x + 280, y + 100), color)).toBeGreaterThan(150);
  });

  it('takes one of several pixels where there is no room for all', () => {
    const data = Float32Array.from({ length: 9 * 10 }, (_, n) => n);
    const small = thinned({ data, columns: 10, rows: 9 }, { width: 3, height: 3 });
    expect([small.columns, small.rows]).toEqual([3, 3]);
    expect([...small.data]).toEqual([11, 14, 17, 41, 44, 47, 71, 74, 77]);
    const alike = { data, columns: 10, rows: 9 };
    expect(thinned(alike, { width: 6, height: 6 })).toEqual(alike);
  });
});
