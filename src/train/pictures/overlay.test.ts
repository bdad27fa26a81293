import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Shape3 } from '../../imaging/index.ts';
import { CLASS_COLORS, drawOverlay } from './index.ts';
import { layoutOf } from './overlay-layout.ts';
import { box, distance, pixel, read } from './pictures.testing.ts';
import type { Area, Point } from './raster.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'halomesh-pictures-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('overlay', () => {
  const shape: Shape3 = [20, 24, 28];
  const spacing: Shape3 = [5, 2.5, 2.5];
  const voxels = shape[0] * shape[1] * shape[2];
  const image = new Float32Array(voxels).fill(0.2);
  const truth = box(shape, [5, 6, 7], [15, 18, 14]);
  const prediction = box(shape, [5, 6, 7], [15, 18, 20]);

  /** Where the outline of `map`'s box, by voxels, stands in a panel: x of columns, y of rows, both turned. */
  const at = (panel: Area, columns: number, rows: number, c: number, r: number): Point => [
    panel.x + ((columns - c) / columns) * panel.width,
    panel.y + ((rows - r) / rows) * panel.height,
  ];

  it('keeps the proportions in mm and draws each outline where the label ends', () => {
    const file = join(dir, 'overlay.png');
    const options = { image, truth, prediction, shape, spacing, file, classNames: ['background', 'liver'] };
    drawOverlay({ ...options, title: 'case', dice: { liver: 0.7, tumour: null }, range: [0, 1] });
    const png = read(file);
    const { panels, scale, width, height } = layoutOf(options, [1]);
    expect([png.width, png.height]).toEqual([width, height]);
    const [axial, coronal, sagittal] = panels;
    expect([axial.width, axial.height]).toEqual([70 * scale, 60 * scale].map(Math.round));
    expect([coronal.width, coronal.height]).toEqual([70 * scale, 100 * scale].map(Math.round));
    expect([sagittal.width, sagittal.height]).toEqual([60 * scale, 100 * scale].map(Math.round));

    const [truthColor, predictionColor] = CLASS_COLORS[0];
    // Axial, half-way down: prediction ends at width 20, truth at width 14; to the patient's right is to the left.
    const ends = at(axial, 28, 24, 20, 12);
    expect(distance(pixel(png, ends[0], ends[1]), predictionColor)).toBeLessThan(90);
    const truthEnds = at(axial, 28, 24, 14, 12);
    expect(distance(pixel(png, truthEnds[0], truthEnds[1]), truthColor)).toBeLessThan(90);
    // What only the prediction has is striped; what both have, and what none has, stays grey.
    const striped = Array.from({ length: 7 }, (_, n) => {
      const [x, y] = at(axial, 28, 24, 17, 12);
      return distance(pixel(png, x + n, y), predictionColor) < 150;
    });
    expect(striped.filter(Boolean)).toHaveLength(2);
    for (const [c, r] of [
      [10, 12],
      [24, 12],
      [10, 3],
    ]) {
      const [x, y] = at(axial, 28, 24, c, r);
      expect(pixel(png, x, y)).toEqual([51, 51, 51]);
    }
    // Sagittal: the front (height 18) is to the left of the back.
    const front = at(sagittal, 24, 20, 18, 10);
    expect(front[0]).toBeLessThan(sagittal.x + sagittal.width / 2);
    expect(distance(pixel(png, front[0], front[1]), predictionColor)).toBeLessThan(90);
    expect(readdirSync(dir).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('draws a thin slab, a tiny volume and a volume without labels', () => {
    for (const shape of [
      [3, 100, 100],
      [2, 2, 2],
      [1, 1, 1],
    ] as const) {
      const file = join(dir, 'small.png');
      const voxels = shape[0] * shape[1] * shape[2];
      drawOverlay({ image: new Float32Array(voxels), shape, spacing: [3, 3, 3], file });
      const png = read(file);
      expect(png.width).toBeGreaterThan(200);
      expect(png.width).toBeLessThanOrEqual(1440);
    }
  });

  it('fills a slab of few slices of any direction well', () => {
    for (const shape of [
      [12, 200, 200],
      [200, 12, 200],
      [200, 200, 12],
      [200, 200, 200],
    ] as const) {
      const { panels, width, height } = layoutOf({ shape, spacing: [2, 2, 2], file: '' }, []);
      const filled = panels.reduce((sum, panel) => sum + panel.width * panel.height, 0);
      // A row of three would fill a third of the slab's picture at most.
      expect(filled / (width * height), shape.join()).toBeGreaterThan(0.55);
      for (const panel of panels) {
        expect(panel.x + panel.width).toBeLessThanOrEqual(width);
        expect(panel.y + panel.height).toBeLessThanOrEqual(height);
        for (const other of panels)
          expect(
            panel === other ||
              panel.x >= other.x + other.width ||
              other.x >= panel.x + panel.width ||
              panel.y >= other.y + other.height ||
              other.y >= panel.y + panel.height,
          ).toBe(true);
      }
    }
  });

  it('says the window in HU and where slices are in mm', () => {
    const file = join(dir, 'window.png');
    const options = { image, truth, shape, spacing, file, range: [0, 1] as const };
    const plainly = layoutOf(options, [1]);
    drawOverlay(options);
    const before = read(file);
    drawOverlay({
      ...options,
      window: { lower: -160, upper: 240 },
      affine: [2.5, 0, 0, -30, 0, 2.5, 0, -20, 0, 0, 5, 100, 0, 0, 0, 1],
    });
    const after = read(file);
    // Ink where nothing was: in the header, and after the captions.
    const ink = (png: PNG, area: Area): number => {
      let sum = 0;
      for (let y = area.y; y < area.y + area.height; y++)
        for (let x = area.x; x < Math.min(png.width, area.x + area.width); x++)
          sum += distance(pixel(png, x, y), [11, 13, 18]) > 60 ? 1 : 0;
      return sum;
    };
    const header = { x: 0, y: 10, width: 600, height: 25 };
    expect(ink(before, header)).toBe(0);
    expect(ink(after, header)).toBeGreaterThan(100);
    const caption = { ...plainly.panels[0], y: plainly.panels[0].y - 20, height: 14 };
    expect(ink(after, caption)).toBeGreaterThan(ink(before, caption) + 40);
  });

  it('refuses maps of another size, naming them', () => {
    const file = join(dir, 'bad.png');
    const bad = () => drawOverlay({ image, prediction: new Uint8Array(5), shape, spacing, file });
    expect(bad).toThrow(`${file}: voxels of the prediction; expected ${voxels} for shape 20x24x28, found 5`);
  });
});
