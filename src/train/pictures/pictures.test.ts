import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Shape3, wholeBox } from '../../imaging/index.ts';
import { linearScale, logScale, tickText } from './chart.ts';
import { drawText, textWidth } from './font.ts';
import { drawProgress } from './index.ts';
import { box, distance, pixel, read } from './pictures.testing.ts';
import { smooth, thin } from './progress.ts';
import { type Point, Raster } from './raster.ts';
import { contours, sliceOf } from './slice.ts';
import { VolumeFacts } from './volume-facts.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'halomesh-pictures-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('raster', () => {
  it('draws a line that covers as much as it is wide, and nothing outside the clip', () => {
    const raster = new Raster(20, 20, [0, 0, 0]);
    raster.stroke(
      [
        [
          [-5, 10],
          [25, 10],
        ],
      ],
      [255, 255, 255],
      3,
      1,
      { x: 5, y: 0, width: 10, height: 20 },
    );
    const column = (x: number): number => {
      let sum = 0;
      for (let y = 0; y < 20; y++) sum += raster.at(x, y)[0] / 255;
      return sum;
    };
    expect(column(10)).toBeCloseTo(3, 1);
    expect([column(4), column(15)]).toEqual([0, 0]);
    expect(column(5)).toBeCloseTo(3, 1);
  });

  it('draws every printable character, and as wide as it says', () => {
    for (let code = 33; code < 127; code++) {
      const raster = new Raster(40, 30, [255, 255, 255]);
      const text = String.fromCharCode(code);
      drawText(raster, text, [10, 20], { color: [0, 0, 0] });
      let right = 0;
      for (let y = 0; y < 30; y++)
        for (let x = 0; x < 40; x++) if (raster.at(x, y)[0] < 160) right = Math.max(right, x);
      expect(right, text).toBeGreaterThan(0);
      // Half a line's width beyond the outline's end.
      expect(right, text).toBeLessThanOrEqual(10 + textWidth(text) + 1.5);
    }
  });
});

describe('slices', () => {
  const shape: Shape3 = [2, 3, 4];
  const volume = Float32Array.from({ length: 24 }, (_, n) => n);

  it('show the patient as a radiologist sees them', () => {
    // Axial: the front (highest j) on top, the patient's right (highest i) on the left.
    const axial = sliceOf(volume, shape, 'axial', 1);
    expect([axial.columns, axial.rows]).toEqual([4, 3]);
    expect([...axial.data]).toEqual([23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12]);
    // Coronal: the head on top, right on the left.
    expect([...sliceOf(volume, shape, 'coronal', 0).data]).toEqual([15, 14, 13, 12, 3, 2, 1, 0]);
    // Sagittal: the head on top, the front on the left.
    expect([...sliceOf(volume, shape, 'sagittal', 0).data]).toEqual([20, 16, 12, 8, 4, 0]);
  });

  it('go through the largest labelled area, and through the middle where there is none', () => {
    const shape: Shape3 = [9, 8, 7];
    const small = box(shape, [0, 0, 0], [1, 1, 1]);
    const large = box(shape, [6, 4, 2], [8, 7, 3]);
    const none = new VolumeFacts(shape);
    none.addMaps([new Uint8Array(504)], wholeBox(shape));
    expect(none.at).toEqual({ axial: 4, coronal: 4, sagittal: 3 });
    const facts = new VolumeFacts(shape);
    facts.addMaps([small, large], wholeBox(shape));
    expect(facts.at).toEqual({ axial: 6, coronal: 4, sagittal: 2 });
    expect(facts.labels).toEqual([1]);
    // The same by halves.
    const halves = new VolumeFacts(shape);
    for (const [from, to] of [
      [0, 5],
      [5, 9],
    ])
      halves.addMaps([small.subarray(from * 56, to * 56), large.subarray(from * 56, to * 56)], {
        start: [from, 0, 0],
        end: [to, 8, 7],
      });
    expect(halves.numbers).toEqual(facts.numbers);
  });

  it('outlines are closed lines half-way between voxels, also at the edges and around holes', () => {
    const data = Uint8Array.from([
      1,
      1,
      1,
      0,
      0, //
      1,
      0,
      1,
      0,
      0, //
      1,
      1,
      1,
      2,
      1, //
    ]);
    const lines = contours({ data, columns: 5, rows: 3 }, 1);
    for (const line of lines) expect(line[0]).toEqual(line.at(-1));
    // The area on the left hand of each line; those of holes count as negative.
    const area = (line: readonly Point[]): number =>
      line.slice(1).reduce((sum, [x, y], n) => sum + (line[n][1] * x - line[n][0] * y) / 2, 0);
    const areas = lines.map(area).map((a) => Math.round(Math.abs(a) * 1000) / 1000);
    // A square of 3 x 3 without its four corners' halves, a diamond around the hole, one around the last voxel.
    expect(areas.sort()).toEqual([0.5, 0.5, 8.5]);
    expect(contours({ data, columns: 5, rows: 3 }, 3)).toEqual([]);
  });
});

describe('progress', () => {
  it('has round ticks within the axis', () => {
    expect(linearScale(0, 1).ticks.map((t) => tickText(t, linearScale(0, 1).ticks))).toEqual([
      '0',
      '0.2',
      '0.4',
      '0.6',
      '0.8',
      '1.0',
    ]);
    expect(linearScale(3, 298).ticks).toEqual([50, 100, 150, 200, 250]);
    const powers = logScale(0.02, 3);
    expect(powers.ticks.map((tick) => tickText(tick, powers.ticks))).toEqual([
      '0.03',
      '0.10',
      '0.30',
      '1.00',
      '3.00',
    ]);
    expect(powers.place(0.02)).toBeCloseTo(0);
    expect(powers.place(3)).toBeCloseTo(1);
  });

  it('smooths without lag and keeps means when it thins out', () => {
    const line = Array.from({ length: 500 }, (_, n): Point => [n, 3 * n + 1]);
    for (const [x, y] of smooth(line).slice(20, -20)) expect(y).toBeCloseTo(3 * x + 1);
    const thinned = thin(line, 100);
    expect(thinned).toHaveLength(100);
    expect(thinned[0]).toEqual([2, 7]);
  });

  it('draws the curves of loss and Dice', () => {
    const file = join(dir, 'progress.png');
    const points = Array.from({ length: 100 }, (_, n) => ({
      step: n + 1,
      loss: 2 * 0.96 ** n,
      dice: { liver: n / 100, tumour: null },
    }));
    drawProgress(points, file);
    const png = read(file);
    expect([png.width, png.height]).toEqual([1200, 500]);
    const blue = new Set<string>();
    for (let x = 600; x < 1200; x++)
      for (let y = 95; y < 460; y++)
        if (distance(pixel(png, x, y), [0, 114, 178]) < 12)
          blue.add(`${Math.floor(x / 100)},${Math.floor(y / 100)}`);
    // From the lower left to the upper right of the Dice panel.
    expect(blue.has('6,4') || blue.has('6,3')).toBe(true);
    expect(blue.has('11,0')).toBe(true);
    expect(blue.has('6,0') || blue.has('11,3')).toBe(false);
  });

  it.each([
    ['nothing', []],
    ['one point', [{ step: 1, loss: 0.5, dice: { liver: 0 } }]],
    ['a constant negative loss', [1, 2, 3].map((step) => ({ step, loss: -0.2 }))],
    ['numbers that are none', [1, 2].map((step) => ({ step, loss: Number.NaN, dice: { liver: null } }))],
  ])('draws %s', (_, points) => {
    const file = join(dir, 'few.png');
    drawProgress(points, file);
    expect(read(file).width).toBe(1200);
  });
});
