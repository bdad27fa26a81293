import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { PNG } from 'pngjs';
import { beginPartial, cannotWrite, makeFolder, type PartialFile } from '../../files/index.ts';

/** Red, green, blue: 0 to 255. */
export type Color = readonly [red: number, green: number, blue: number];

/** Pixels: x to the right, y down; pixel (0, 0) covers 0..1 by 0..1, so that its centre is (0.5, 0.5). */
export type Point = readonly [x: number, y: number];

/** A rectangle of pixels. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** `#3b82f6` as a colour. */
export function hex(text: string): Color {
  const value = Number.parseInt(text.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Writes the bytes of a picture under a temporary name and renames it, so that no reader sees half of it. */
export function savePicture(file: string, bytes: Uint8Array): void {
  makeFolder(path.dirname(file));
  let partial: PartialFile | undefined;
  try {
    partial = beginPartial(file);
    writeFileSync(partial.path, bytes);
    partial.finish();
  } catch (error) {
    partial?.discard();
    cannotWrite(file, error);
  }
}

/** An opaque picture to draw on. What lies outside of it is cut off. */
export class Raster {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue, 255 for each pixel, row by row. */
  readonly data: Uint8Array;

  constructor(width: number, height: number, background: Color) {
    this.width = width;
    this.height = height;
    this.data = new Uint8Array(width * height * 4);
    this.fill({ x: 0, y: 0, width, height }, background);
  }

  /** The colour of a pixel. */
  at(x: number, y: number): Color {
    const n = (y * this.width + x) * 4;
    return [this.data[n], this.data[n + 1], this.data[n + 2]];
  }

  /** Lays a colour over a pixel; `share` 0 leaves it, 1 replaces it. */
  blend(x: number, y: number, color: Color, share: number): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height || share <= 0) return;
    const n = (y * this.width + x) * 4;
    const s = Math.min(1, share);
    for (let c = 0; c < 3; c++) this.data[n + c] = Math.round(this.data[n + c] * (1 - s) + color[c] * s);
    this.data[n + 3] = 255;
  }

  /** Fills whole pixels. */
  fill({ x, y, width, height }: Area, color: Color, share = 1): void {
    for (let j = y; j < y + height; j++) for (let i = x; i < x + width; i++) this.blend(i, j, color, share);
  }

  /**
   * Draws lines through points with round ends, anti-aliased. Where lines of one call cross, nothing is drawn twice.
   * Only pixels inside `clip` change.
   */
  stroke(lines: readonly (readonly Point[])[], color: Color, width = 1, share = 1, clip?: Area): void {
    const area = this.within(lines, width, clip);
    if (area.width <= 0 || area.height <= 0) return;
    const mask = new Float32Array(area.width * area.height);
    for (const line of lines) {
      if (line.length === 1) cover(mask, area, line[0], line[0], width);
      for (let n = 1; n < line.length; n++) cover(mask, area, line[n - 1], line[n], width);
    }
    for (let j = 0; j < area.height; j++)
      for (let i = 0; i < area.width; i++)
        this.blend(area.x + i, area.y + j, color, mask[j * area.width + i] * share);
  }

  /** The bytes of a PNG. */
  encode(): Uint8Array {
    const png = new PNG({ width: this.width, height: this.height });
    png.data = Buffer.from(this.data.buffer);
    return PNG.sync.write(png, { colorType: 2 });
  }

  /** Writes a PNG. */
  save(file: string): void {
    savePicture(file, this.encode());
  }

  /** The pixels that lines may touch. */
  private within(lines: readonly (readonly Point[])[], width: number, clip?: Area): Area {
    const limit = clip ?? { x: 0, y: 0, width: this.width, height: this.height };
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const line of lines)
      for (const [x, y] of line) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
    const x = Math.max(limit.x, Math.floor(left - width));
    const y = Math.max(limit.y, Math.floor(top - width));
    const end = Math.min(limit.x + limit.width, Math.ceil(right + width) + 1);
    const low = Math.min(limit.y + limit.height, Math.ceil(bottom + width) + 1);
    return { x, y, width: end - x, height: low - y };
  }
}

/** Raises the mask to the share of each pixel that a segment covers, told from the distance of the pixel's centre. */
function cover(mask: Float32Array, area: Area, [x0, y0]: Point, [x1, y1]: Point, width: number): void {
  const reach = width / 2 + 0.5;
  const full = Math.min(1, width);
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length2 = dx * dx + dy * dy;
  const first = Math.max(0, Math.floor(Math.min(x0, x1) - reach - area.x));
  const last = Math.min(area.width - 1, Math.ceil(Math.max(x0, x1) + reach - area.x));
  const top = Math.max(0, Math.floor(Math.min(y0, y1) - reach - area.y));
  const bottom = Math.min(area.height - 1, Math.ceil(Math.max(y0, y1) + reach - area.y));
  for (let j = top; j <= bottom; j++) {
    const py = area.y + j + 0.5 - y0;
    for (let i = first; i <= last; i++) {
      const px = area.x + i + 0.5 - x0;
      const t = length2 === 0 ? 0 : Math.max(0, Math.min(1, (px * dx + py * dy) / length2));
      const share = Math.min(full, reach - Math.hypot(px - t * dx, py - t * dy));
      const n = j * area.width + i;
      if (share > mask[n]) mask[n] = share;
    }
  }
}
