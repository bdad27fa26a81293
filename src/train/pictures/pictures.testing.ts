import { readFileSync } from 'node:fs';
import { PNG } from 'pngjs';
import type { Shape3 } from '../../imaging/index.ts';
import type { Color } from './raster.ts';

// What tests look at pictures with.

export const read = (file: string): PNG => PNG.sync.read(readFileSync(file));

export const pixel = (png: PNG, x: number, y: number): Color => {
  const n = (Math.round(y) * png.width + Math.round(x)) * 4;
  return [png.data[n], png.data[n + 1], png.data[n + 2]];
};

export const distance = (a: Color, b: Color): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

/** Labels of a box [from, to) in each of depth, height, width. */
export function box(shape: Shape3, from: Shape3, to: Shape3, label = 1): Uint8Array {
  const map = new Uint8Array(shape[0] * shape[1] * shape[2]);
  for (let k = from[0]; k < to[0]; k++)
    for (let j = from[1]; j < to[1]; j++)
      map.fill(label, (k * shape[1] + j) * shape[2] + from[2], (k * shape[1] + j) * shape[2] + to[2]);
  return map;
}
