import { type Distances, mix, placeBits, type SlidePlan } from './slide-plan.ts';
import { type Zone, zoneOf } from './slide-zones.ts';

// Nuclei lie in the cells of grids, one in each at most, where the tissue at their middle has such ones.

/** Nuclei of one kind. */
interface Kind {
  readonly zone: Zone;
  /** Side of the grid's cells in microns, and the share that holds a nucleus. */
  readonly cell: number;
  readonly share: number;
  /** Half axes in microns. */
  readonly length: readonly [least: number, most: number];
  readonly width: readonly [least: number, most: number];
  /** Haematoxylin in the middle, in optical density. */
  readonly dark: number;
}

const KINDS: readonly Kind[] = [
  { zone: 'stroma', cell: 14, share: 0.5, length: [3.5, 6.5], width: [1.6, 2.6], dark: 1 },
  { zone: 'epithelium', cell: 7.5, share: 0.9, length: [2.8, 3.8], width: [2.4, 3.2], dark: 0.8 },
  { zone: 'focus', cell: 6.5, share: 0.9, length: [2.4, 3], width: [2.2, 2.8], dark: 1.2 },
];

/** No nucleus reaches further from its middle, in microns. */
const REACH = 8;
const UNIT = 2 ** -32;

/** A box of pixels of a slide: its first row and column, and how many it has. */
export interface SlideBox {
  readonly row: number;
  readonly col: number;
  readonly rows: number;
  readonly cols: number;
}

/** Adds the haematoxylin of all nuclei that reach into a box, always in the same order, so that the sums are those of any other box. */
export function addNuclei(plan: SlidePlan, key: number, box: SlideBox, mpp: number, out: Float32Array): void {
  const found: Distances = { tissue: 0, gland: 0, focus: 0, tumour: 0 };
  for (const [n, kind] of KINDS.entries()) {
    const { cell, zone, share } = kind;
    const own = key + 7 * n;
    const first = (at: number): number => Math.floor((at * mpp - REACH) / cell);
    const last = (at: number): number => Math.floor((at * mpp + REACH) / cell);
    for (let row = first(box.row); row <= last(box.row + box.rows); row++)
      for (let col = first(box.col); col <= last(box.col + box.cols); col++) {
        const draw = (k: number): number => UNIT * placeBits(own + k, col, row);
        if (draw(0) >= share) continue;
        const [x, y] = [(col + draw(1)) * cell, (row + draw(2)) * cell];
        plan.at(x, y, found);
        // Those of glands lie away from the lumen.
        if (zoneOf(found) !== zone || (zone === 'epithelium' && found.gland < -10)) continue;
        add({ x, y, turn: draw(3), size: draw(4), dark: draw(5), kind }, box, mpp, out);
      }
  }
}

interface Nucleus {
  readonly x: number;
  readonly y: number;
  /** Numbers of 0 to 1. */
  readonly turn: number;
  readonly size: number;
  readonly dark: number;
  readonly kind: Kind;
}

function add({ x, y, turn, size, dark, kind }: Nucleus, box: SlideBox, mpp: number, out: Float32Array): void {
  const { row, col, rows, cols } = box;
  const [a, b] = [mix(...kind.length, size), mix(...kind.width, size)];
  // A direction without a sine: it need not be uniform.
  const [u, v] = [2 * turn - 1, 1 - 2 * Math.abs(turn - 0.5)];
  const norm = Math.sqrt(u * u + v * v);
  const [cos, sin] = [u / norm, v / norm];
  const density = kind.dark * (0.75 + 0.5 * dark);
  // Where a pixel is larger than a nucleus, it holds part of one.
  const part = Math.min(1, (Math.PI * a * b) / (mpp * mpp));
  const reach = a + mpp;
  const from = (at: number, start: number): number =>
    Math.max(0, Math.ceil((at - reach) / mpp - 0.5) - start);
  const to = (at: number, start: number, count: number): number =>
    Math.min(count - 1, Math.floor((at + reach) / mpp - 0.5) - start);
  const [c0, c1] = [from(x, col), to(x, col, cols)];
  for (let r = from(y, row), r1 = to(y, row, rows); r <= r1; r++) {
    const dy = (row + r + 0.5) * mpp - y;
    for (let c = c0; c <= c1; c++) {
      const dx = (col + c + 0.5) * mpp - x;
      const along = (dx * cos + dy * sin) / a;
      const across = (dy * cos - dx * sin) / b;
      const square = along * along + across * across;
      const cover = ((1 - Math.sqrt(square)) * b) / mpp + 0.5;
      if (cover <= 0) continue;
      out[r * cols + c] += density * part * Math.min(1, cover) * (1 - 0.3 * Math.min(1, square));
    }
  }
}
