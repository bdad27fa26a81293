import { fillNormal } from './random.ts';
import { addScaled } from './resample-taps.ts';
import type { Shape3 } from './volume.ts';
import { boxShape, type VoxelBox, wholeBox } from './voxel-source.ts';

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
      fillNormal(plane, key, deviation, k * plane.length);
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

/** Gives the planes of a box of a field. They are asked for in rising order, any of them again. */
export class FieldPlanes {
  private readonly field: Field;
  private readonly box: VoxelBox;
  private readonly width: number;
  private readonly result: Float32Array;
  /** Lattice planes spread over the box's rows and columns; `undefined` where all is 0. */
  private readonly spread = new Map<number, Float32Array | undefined>();
  private readonly free: Float32Array[] = [];
  private readonly narrow: Float32Array;

  constructor(field: Field, box: VoxelBox) {
    const [, height, width] = boxShape(box);
    this.field = field;
    this.box = box;
    this.width = width;
    this.result = new Float32Array(height * width);
    this.narrow = new Float32Array(field.axes[1].points * width);
  }

  /** The box's part of plane k (counted in the whole volume), row by row, good until the next call; `undefined` where all is 0. */
  plane(k: number): Float32Array | undefined {
    const { first, reach, weights } = this.field.axes[0];
    for (const [point, plane] of this.spread)
      if (point < first[k]) {
        this.spread.delete(point);
        if (plane) this.free.push(plane);
      }
    let filled = false;
    for (let t = 0; t < reach; t++) {
      const plane = this.spreadPlane(first[k] + t);
      if (plane === undefined) continue;
      if (!filled) this.result.fill(0);
      filled = true;
      addScaled(this.result, 0, plane, 0, plane.length, weights[k * reach + t]);
    }
    return filled ? this.result : undefined;
  }

  private spreadPlane(point: number): Float32Array | undefined {
    if (this.spread.has(point)) return this.spread.get(point);
    const values = this.field.lattice.plane(point);
    const plane = values.some((value) => value !== 0) ? this.widen(values) : undefined;
    this.spread.set(point, plane);
    return plane;
  }

  /** A plane of lattice points, spread along the box's columns and then its rows. */
  private widen(values: Float32Array): Float32Array {
    const [, rows, columns] = this.field.axes;
    const { width, narrow } = this;
    const [, top, left] = this.box.start;
    const bottom = this.box.end[1];
    const out = this.free.pop() ?? new Float32Array(this.result.length);
    const firstRow = rows.first[top];
    const lastRow = rows.first[bottom - 1] + rows.reach;
    for (let y = firstRow; y < lastRow; y++) {
      for (let i = 0; i < width; i++) {
        const from = y * columns.points + columns.first[left + i];
        let sum = 0;
        for (let t = 0; t < columns.reach; t++)
          sum += columns.weights[(left + i) * columns.reach + t] * values[from + t];
        narrow[y * width + i] = sum;
      }
    }
    out.fill(0);
    for (let j = top; j < bottom; j++) {
      for (let t = 0; t < rows.reach; t++) {
        const from = (rows.first[j] + t) * width;
        addScaled(out, (j - top) * width, narrow, from, width, rows.weights[j * rows.reach + t]);
      }
    }
    return out;
  }
}

/** All values of a field. */
export function wholeField(field: Field): Float32Array {
  const [k, j, i] = field.axes.map(({ first }) => first.length);
  const planes = new FieldPlanes(field, wholeBox([k, j, i]));
  const values = new Float32Array(k * j * i);
  for (let n = 0; n < k; n++) values.set(planes.plane(n) ?? [], n * j * i);
  return values;
}
