import type { Shape3 } from './volume.ts';

/** Output voxel o reads input position matrix * o + offset, all in (depth, height, width) voxels. */
export interface AffineSampling {
  /** 3x3, row by row. */
  readonly matrix: readonly number[];
  readonly offset: readonly number[];
}

/** Which axes (depth, height, width) are counted from their other end. */
export type Flips = readonly [boolean, boolean, boolean];

/** The volume [depth, height, width] with the chosen axes counted from their other end, written to `out`. */
export function flipAxes<T extends Float32Array | Uint8Array>(
  data: T,
  shape: Shape3,
  flipped: Flips,
  out: T,
): T {
  const [depth, height, width] = shape;
  for (let k = 0; k < depth; k++) {
    const fromK = flipped[0] ? depth - 1 - k : k;
    for (let j = 0; j < height; j++) {
      const from = (fromK * height + (flipped[1] ? height - 1 - j : j)) * width;
      const to = (k * height + j) * width;
      out.set(data.subarray(from, from + width), to);
      if (flipped[2]) out.subarray(to, to + width).reverse();
    }
  }
  return out;
}

/** Voxel (k, j, i) of a flipped volume is at first + k * steps[0] + j * steps[1] + i * steps[2] of its array. */
interface Walk {
  readonly shape: Shape3;
  readonly first: number;
  readonly steps: Shape3;
}

function walkOf(shape: Shape3, flipped: Flips): Walk {
  const plain = [shape[1] * shape[2], shape[2], 1];
  const first = plain.reduce((sum, step, axis) => sum + (flipped[axis] ? (shape[axis] - 1) * step : 0), 0);
  const [k, j, i] = plain.map((step, axis) => (flipped[axis] ? -step : step));
  return { shape, first, steps: [k, j, i] };
}

/**
 * The volume, flipped first, seen through an affine map, written to `out` of the same shape; 0 where it reads from outside.
 * Linear for images; for labels the nearest voxel.
 */
export function sampleAffine<T extends Float32Array | Uint8Array>(
  data: T,
  shape: Shape3,
  { matrix, offset }: AffineSampling,
  flipped: Flips,
  out: T,
): T {
  const [depth, height, width] = shape;
  const walk = walkOf(shape, flipped);
  const step = [matrix[2], matrix[5], matrix[8]];
  for (let k = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      const start = [0, 1, 2].map((row) => matrix[row * 3] * k + matrix[row * 3 + 1] * j + offset[row]);
      const at = (k * height + j) * width;
      if (data instanceof Float32Array) linearRow(data, walk, out as Float32Array, at, start, step);
      else nearestRow(data, walk, out as Uint8Array, at, start, step);
    }
  }
  return out;
}

function nearestRow(
  data: Uint8Array,
  { shape: [depth, height, width], first, steps: [stepK, stepJ, stepI] }: Walk,
  out: Uint8Array,
  at: number,
  start: readonly number[],
  step: readonly number[],
): void {
  for (let i = 0; i < width; i++) {
    const z = Math.round(start[0] + i * step[0]);
    const y = Math.round(start[1] + i * step[1]);
    const x = Math.round(start[2] + i * step[2]);
    const outside = z < 0 || y < 0 || x < 0 || z >= depth || y >= height || x >= width;
    out[at + i] = outside ? 0 : data[first + z * stepK + y * stepJ + x * stepI];
  }
}

function linearRow(
  data: Float32Array,
  { shape: [depth, height, width], first, steps: [stepK, stepJ, stepI] }: Walk,
  out: Float32Array,
  at: number,
  start: readonly number[],
  step: readonly number[],
): void {
  for (let i = 0; i < width; i++) {
    const z = start[0] + i * step[0];
    const y = start[1] + i * step[1];
    const x = start[2] + i * step[2];
    let sum = 0;
    if (z > -1 && y > -1 && x > -1 && z < depth && y < height && x < width) {
      const z0 = Math.floor(z);
      const y0 = Math.floor(y);
      const x0 = Math.floor(x);
      const fz = z - z0;
      const fy = y - y0;
      const fx = x - x0;
      const p = first + z0 * stepK + y0 * stepJ + x0 * stepI;
      if (z0 >= 0 && y0 >= 0 && x0 >= 0 && z0 < depth - 1 && y0 < height - 1 && x0 < width - 1) {
        const top = square(data, p, stepJ, stepI, fy, fx);
        const bottom = square(data, p + stepK, stepJ, stepI, fy, fx);
        sum = lerp(top, bottom, fz);
      } else {
        for (let corner = 0; corner < 8; corner++) {
          const [dz, dy, dx] = [corner >> 2, (corner >> 1) & 1, corner & 1];
          const [cz, cy, cx] = [z0 + dz, y0 + dy, x0 + dx];
          if (cz < 0 || cy < 0 || cx < 0 || cz >= depth || cy >= height || cx >= width) continue;
          const weight = (dz ? fz : 1 - fz) * (dy ? fy : 1 - fy) * (dx ? fx : 1 - fx);
          sum += weight * data[p + dz * stepK + dy * stepJ + dx * stepI];
        }
      }
    }
    out[at + i] = sum;
  }
}

/** Linear within a slice. */
function square(data: Float32Array, p: number, stepJ: number, stepI: number, fy: number, fx: number): number {
  const near = lerp(data[p], data[p + stepI], fx);
  return lerp(near, lerp(data[p + stepJ], data[p + stepJ + stepI], fx), fy);
}

function lerp(a: number, b: number, f: number): number {
  return a + (b - a) * f;
}
