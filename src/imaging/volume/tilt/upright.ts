import { type Affine, affineColumn, applyAffine, isUsableAffine, type Vector3 } from '../affine.ts';
import type { Grid } from '../volume.ts';

// A scan whose gantry was tilted has axes that lean: its slices lie one above the other with a step to the side. On an upright grid
// over the same place its first axis and its slices stay what they are, and each row of voxels is moved along its slice.

/** A grid with perpendicular axes over all voxels of a leaning one. */
export interface UprightGrid {
  readonly grid: Grid;
  readonly leaning: Grid;
  /** Indices i and j in the upright grid of voxel (i, j, k) of the leaning one: i + j * iByJ + k * iByK + iFrom, j + k * jByK + jFrom. */
  readonly shear: Shear;
}

export interface Shear {
  readonly iByJ: number;
  readonly iByK: number;
  readonly iFrom: number;
  readonly jByK: number;
  readonly jFrom: number;
}

/** Voxels that a corner may lie beyond a grid, by rounding. */
const slack = 1e-6;

/** The upright grid of a leaning one. Undefined where its axes span no space. */
export function uprightGrid(leaning: Grid): UprightGrid | undefined {
  const { affine, shape } = leaning;
  if (!isUsableAffine(affine)) return undefined;
  const [depth, height, width] = shape;
  const [a, b, c] = ([0, 1, 2] as const).map((n) => affineColumn(affine, n));
  // Gram and Schmidt's: b = b' + iByJ a, c = c' + iByK a + jByK b'.
  const iByJ = share(b, a);
  const upB = along(b, a, -iByJ);
  const iByK = share(c, a);
  const jByK = share(c, upB);
  const upC = along(along(c, a, -iByK), upB, -jByK);
  const [iLow, iHigh] = ends([iByJ * (height - 1), iByK * (depth - 1)]);
  const [jLow, jHigh] = ends([jByK * (depth - 1)]);
  const [iFrom, jFrom] = [-Math.floor(iLow + slack), -Math.floor(jLow + slack)];
  const wide = width + Math.ceil(iHigh - slack) + iFrom;
  const high = height + Math.ceil(jHigh - slack) + jFrom;
  const o = along(along(applyAffine(affine, [0, 0, 0]), a, -iFrom), upB, -jFrom);
  const upright: Affine = [0, 1, 2].flatMap((n) => [a[n], upB[n], upC[n], o[n]]).concat([0, 0, 0, 1]);
  return {
    grid: { shape: [depth, high, wide], affine: upright },
    leaning,
    shear: { iByJ, iByK, iFrom, jByK, jFrom },
  };
}

const dot = (a: Vector3, b: Vector3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
/** How many times b is in a. */
const share = (a: Vector3, b: Vector3): number => dot(a, b) / dot(b, b);
const along = (a: Vector3, b: Vector3, by: number): Vector3 => [
  a[0] + by * b[0],
  a[1] + by * b[1],
  a[2] + by * b[2],
];
/** Least and largest sum of some of these numbers. */
const ends = (all: readonly number[]): readonly [number, number] => [
  all.reduce((sum, value) => sum + Math.min(0, value), 0),
  all.reduce((sum, value) => sum + Math.max(0, value), 0),
];

/** Numbers of an array that can be read. */
type Numbers = ArrayLike<number>;

/**
 * Slice k on the upright grid, by linear interpolation within the leaning slice; beyond its edges the value of the nearest voxel.
 * `nearest` takes the nearest voxel everywhere.
 */
export function raiseSlice(
  { grid, leaning, shear }: UprightGrid,
  k: number,
  slice: Numbers,
  out: { [n: number]: number },
  nearest: boolean,
): void {
  const [, high, wide] = grid.shape;
  const [, height, width] = leaning.shape;
  for (let q = 0; q < high; q++) {
    const j = clamped(q - shear.jFrom - shear.jByK * k, height);
    const [j0, jPart] = split(j, height, nearest);
    for (let p = 0; p < wide; p++) {
      const i = clamped(p - shear.iFrom - shear.iByJ * j - shear.iByK * k, width);
      const [i0, iPart] = split(i, width, nearest);
      const at = j0 * width + i0;
      let value = slice[at];
      if (iPart > 0) value += iPart * (slice[at + 1] - value);
      if (jPart > 0) {
        let below = slice[at + width];
        if (iPart > 0) below += iPart * (slice[at + width + 1] - below);
        value += jPart * (below - value);
      }
      out[q * wide + p] = value;
    }
  }
}

const clamped = (at: number, size: number): number => Math.min(Math.max(at, 0), size - 1);

/** A place between two voxels: the number of the first, and how far behind it. */
function split(at: number, size: number, nearest: boolean): readonly [number, number] {
  if (nearest) return [Math.round(at), 0];
  const first = Math.min(Math.floor(at), Math.max(size - 2, 0));
  return [first, at - first];
}

/** Labels of an upright grid on the voxels of the leaning one: that of the nearest voxel. */
export function leanLabels({ grid, leaning, shear }: UprightGrid, labels: Uint8Array): Uint8Array {
  const [depth, height, width] = leaning.shape;
  const [, high, wide] = grid.shape;
  const out = new Uint8Array(depth * height * width);
  for (let k = 0; k < depth; k++)
    for (let j = 0; j < height; j++) {
      const q = clamped(Math.round(j + shear.jByK * k + shear.jFrom), high);
      const from = (k * high + q) * wide;
      const to = (k * height + j) * width;
      const move = shear.iByJ * j + shear.iByK * k + shear.iFrom;
      for (let i = 0; i < width; i++) out[to + i] = labels[from + clamped(Math.round(i + move), wide)];
    }
  return out;
}
