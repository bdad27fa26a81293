import { drawNormals } from '../../core/index.ts';
import { addScaled } from '../preprocess/resample-taps.ts';
import type { Shape3 } from '../volume/volume.ts';
import { type VoxelBox, wholeBox } from '../volume/voxel-source.ts';

// Smooth fields over a volume, told by the points of a coarse lattice. A value depends on its voxel's place in the whole and on
// the lattice alone, and its terms are added in one order, so every box of a field has the same bits.

/** Numbers on a lattice, read a plane (all points with one first index) at a time. */
export interface Lattice {
  readonly shape: Shape3;
  /** The plane, row by row; good until the next call. */
  plane(k: number): Float32Array;
}

/** Which lattice points a voxel of one axis reads, points first[n] to first[n] + reach - 1, and their weights. */
export interface AxisKnots {
  /** Points along the axis. */
  readonly points: number;
  readonly reach: number;
  readonly first: Int32Array;
  /** reach weights a voxel; they are not negative and add up to 1. */
  readonly weights: Float32Array;
}

/** A lattice and how the voxels of each axis read it. */
export interface Field {
  readonly lattice: Lattice;
  readonly axes: readonly [AxisKnots, AxisKnots, AxisKnots];
}

/** A lattice of independent normal numbers, those beyond twice their deviation cut off if `truncated`. */
export function normalLattice(shape: Shape3, key: number, deviation: number, truncated = false): Lattice {
  const plane = new Float32Array(shape[1] * shape[2]);
  return {
    shape,
    plane(k) {
      drawNormals(plane, key, deviation, k * plane.length);
      if (truncated)
        for (let n = 0; n < plane.length; n++)
          plane[n] = Math.max(-2 * deviation, Math.min(2 * deviation, plane[n]));
      return plane;
    },
  };
}

/** A lattice in memory. */
export function storedLattice(values: Float32Array, shape: Shape3): Lattice {
  const size = shape[1] * shape[2];
  return { shape, plane: (k) => values.subarray(k * size, (k + 1) * size) };
}

/**
 * Cubic B-spline over `cells` cells along an axis: cells + 3 points; a voxel in cell c reads c to c + 3. `at` are positions in
 * voxels, those of all voxels where it is absent.
 */
export function splineKnots(extent: number, cells: number, at?: readonly number[]): AxisKnots {
  return cubicKnots(cells + 3, at ?? places(extent), (n) => ((n + 0.5) * cells) / extent, cells - 1);
}

/**
 * Cubic B-spline over the values of cells of `size` voxels, at their centres: two more points than cells at either end stand
 * for what is outside, so that cells + 4 points are read.
 */
export function cellKnots(extent: number, size: number): AxisKnots {
  const cells = Math.ceil(extent / size);
  return cubicKnots(cells + 4, places(extent), (n) => (n + 0.5) / size + 0.5, cells);
}

/** Linear between points, one for each `grain` voxels, at the centres of their cells; flat beyond the outer ones. */
export function linearKnots(extent: number, grain: number): AxisKnots {
  const points = Math.ceil(extent / grain);
  const reach = Math.min(2, points);
  const first = new Int32Array(extent);
  const weights = new Float32Array(reach * extent).fill(1);
  if (reach === 1) return { points, reach, first, weights };
  for (let n = 0; n < extent; n++) {
    const u = Math.max(0, Math.min(points - 1, (n + 0.5) / grain - 0.5));
    first[n] = Math.min(points - 2, Math.floor(u));
    weights[2 * n] = 1 - (u - first[n]);
    weights[2 * n + 1] = u - first[n];
  }
  return { points, reach, first, weights };
}

const places = (extent: number): readonly number[] => Array.from({ length: extent }, (_, n) => n);

function cubicKnots(
  points: number,
  at: readonly number[],
  cellOf: (n: number) => number,
  last: number,
): AxisKnots {
  const first = new Int32Array(at.length);
  const weights = new Float32Array(4 * at.length);
  at.forEach((place, n) => {
    const u = cellOf(place);
    first[n] = Math.max(0, Math.min(last, Math.floor(u)));
    const f = u - first[n];
    const g = 1 - f;
    weights[4 * n] = (g * g * g) / 6;
    weights[4 * n + 1] = (4 - 6 * f * f + 3 * f * f * f) / 6;
    weights[4 * n + 2] = (4 - 6 * g * g + 3 * g * g * g) / 6;
    weights[4 * n + 3] = (f * f * f) / 6;
  });
  return { points, reach: 4, first, weights };
}

/**
 * Gives the rows of a box of a field. For each plane the lattice is brought to the plane and then along the rows while it is
 * still coarse, so that a voxel costs no more than a row's taps.
 */
export class FieldRows {
  private readonly field: Field;
  private readonly left: number;
  private readonly result: Float32Array;
  /** Lattice planes that were read last. */
  private readonly kept = new Map<number, Float32Array>();
  private readonly free: Float32Array[] = [];
  /** The lattice at the current plane: [rows of points, points], then [rows of points, width of the box]. */
  private readonly coarse: Float32Array;
  private readonly rows: readonly Float32Array[];
  /** Whether such a row holds anything but zeros (1 or 0), or is not made yet (2). */
  private readonly filled: Uint8Array;

  constructor(field: Field, { start, end }: VoxelBox) {
    const [, rows, columns] = field.axes;
    const width = end[2] - start[2];
    this.field = field;
    this.left = start[2];
    this.result = new Float32Array(width);
    this.coarse = new Float32Array(rows.points * columns.points);
    this.rows = Array.from({ length: rows.points }, () => new Float32Array(width));
    this.filled = new Uint8Array(rows.points);
  }

  /** Turns to plane k, counted in the whole volume; rising k cost least. */
  startPlane(k: number): void {
    const { lattice, axes } = this.field;
    const [{ first, reach, weights }] = axes;
    const { coarse, kept, free } = this;
    coarse.fill(0);
    for (const [point, plane] of kept)
      if (point < first[k] || point >= first[k] + reach) {
        kept.delete(point);
        free.push(plane);
      }
    for (let t = 0; t < reach; t++) {
      const point = first[k] + t;
      const plane = kept.get(point) ?? free.pop() ?? new Float32Array(coarse.length);
      if (!kept.has(point)) {
        plane.set(lattice.plane(point));
        kept.set(point, plane);
      }
      addScaled(coarse, 0, plane, 0, plane.length, weights[k * reach + t]);
    }
    this.filled.fill(2);
  }

  /** The row's part in the box, good until the next call; `undefined` where all is 0. */
  row(j: number): Float32Array | undefined {
    const { first, reach, weights } = this.field.axes[1];
    const { result, rows, filled } = this;
    const y = first[j];
    let any = 0;
    for (let t = y; t < y + reach; t++) {
      if (filled[t] === 2) this.widen(t);
      any |= filled[t];
    }
    if (any === 0) return undefined;
    if (reach === 4) weigh4(result, rows[y], rows[y + 1], rows[y + 2], rows[y + 3], weights, 4 * j);
    else if (reach === 2) weigh2(result, rows[y], rows[y + 1], weights, 2 * j);
    else result.set(rows[y]);
    return result;
  }

  /** Row y of lattice points at the current plane, brought to the voxels of the box's rows. */
  private widen(y: number): void {
    const { points, first, reach, weights } = this.field.axes[2];
    const from = y * points;
    const out = this.rows[y];
    this.filled[y] = isZero(this.coarse, from, points) ? 0 : 1;
    if (this.filled[y] === 0) {
      out.fill(0);
      return;
    }
    if (reach === 4) spread4(out, this.coarse, from, first, weights, this.left);
    else if (reach === 2) spread2(out, this.coarse, from, first, weights, this.left);
    else out.fill(this.coarse[from]);
  }
}

function isZero(values: Float32Array, from: number, length: number): boolean {
  for (let n = from; n < from + length; n++) if (values[n] !== 0) return false;
  return true;
}

function weigh4(
  out: Float32Array,
  a: Float32Array,
  b: Float32Array,
  c: Float32Array,
  d: Float32Array,
  weights: Float32Array,
  w: number,
): void {
  const p = weights[w];
  const q = weights[w + 1];
  const r = weights[w + 2];
  const s = weights[w + 3];
  for (let n = 0; n < out.length; n++) out[n] = p * a[n] + q * b[n] + r * c[n] + s * d[n];
}

function weigh2(out: Float32Array, a: Float32Array, b: Float32Array, weights: Float32Array, w: number): void {
  const p = weights[w];
  const q = weights[w + 1];
  for (let n = 0; n < out.length; n++) out[n] = p * a[n] + q * b[n];
}

/** Voxels `left` and on of a row from its points, which stand at `from` in `points`. */
function spread4(
  out: Float32Array,
  points: Float32Array,
  from: number,
  first: Int32Array,
  weights: Float32Array,
  left: number,
): void {
  for (let i = 0; i < out.length; i++) {
    const at = from + first[left + i];
    const w = 4 * (left + i);
    out[i] =
      weights[w] * points[at] +
      weights[w + 1] * points[at + 1] +
      weights[w + 2] * points[at + 2] +
      weights[w + 3] * points[at + 3];
  }
}

function spread2(
  out: Float32Array,
  points: Float32Array,
  from: number,
  first: Int32Array,
  weights: Float32Array,
  left: number,
): void {
  for (let i = 0; i < out.length; i++) {
    const at = from + first[left + i];
    const w = 2 * (left + i);
    out[i] = weights[w] * points[at] + weights[w + 1] * points[at + 1];
  }
}

/** All values of a field. */
export function wholeField(field: Field): Float32Array {
  const [depth, height, width] = field.axes.map(({ first }) => first.length);
  const rows = new FieldRows(field, wholeBox([depth, height, width]));
  const values = new Float32Array(depth * height * width);
  for (let k = 0; k < depth; k++) {
    rows.startPlane(k);
    for (let j = 0; j < height; j++) values.set(rows.row(j) ?? [], (k * height + j) * width);
  }
  return values;
}
