import { ImagingError } from '../volume/errors.ts';
import {
  checkShape,
  type Shape3,
  straightSpacing,
  type VoxelSize,
  voxelCount,
  voxelSteps,
} from '../volume/volume.ts';
import { NearestPoints } from './nearest-points.ts';

const NONE = 0xffff;

/** Distances to a set of voxels. */
export interface Distances {
  /** The squared distance of a voxel in mm^2; Infinity where the set is empty. Quickest along the width. */
  squaredAt(k: number, j: number, i: number): number;
}

/** Sets the flags of the voxels of slice k, [height, width], that are in a set; they come in as 0, and slices in order. */
export type MarkSlice = (k: number, flags: Uint8Array) => void;

/**
 * Exact Euclidean distances in mm to a set of voxels: by {@link DistanceMap} on a grid whose axes are perpendicular, by a tree of the
 * voxels of the set (60 bytes each) where they lean. Throws ImagingError for a shape or spacing that is none.
 */
export function distancesTo(shape: Shape3, voxel: VoxelSize, mark: MarkSlice): Distances {
  const spacing = straightSpacing(voxel);
  return spacing === undefined ? leaningDistances(shape, voxel, mark) : new DistanceMap(shape, spacing, mark);
}

function leaningDistances(shape: Shape3, voxel: VoxelSize, mark: MarkSlice): Distances {
  const [depth, height, width] = shape;
  const [down, across, along] = voxelSteps(voxel);
  const flags = new Uint8Array(height * width);
  const set: number[] = [];
  for (let k = 0; k < depth; k++) {
    flags.fill(0);
    mark(k, flags);
    for (let n = 0; n < flags.length; n++) if (flags[n]) set.push(k * flags.length + n);
  }
  const at = (n: 0 | 1 | 2, k: number, j: number, i: number) => k * down[n] + j * across[n] + i * along[n];
  const split = (n: number) =>
    [Math.floor(n / (height * width)), Math.floor(n / width) % height, n % width] as const;
  const places = new Float64Array(3 * set.length);
  set.forEach((n, point) => {
    const [k, j, i] = split(n);
    for (const axis of [0, 1, 2] as const) places[3 * point + axis] = at(axis, k, j, i);
  });
  const tree = new NearestPoints(places);
  return {
    squaredAt(k, j, i) {
      const point = tree.nearest(at(0, k, j, i), at(1, k, j, i), at(2, k, j, i));
      if (point === undefined) return Number.POSITIVE_INFINITY;
      // From whole steps, so that equal ways have equal lengths wherever they are.
      const [z, y, x] = split(set[point]);
      const part = (n: 0 | 1 | 2) => at(n, k - z, j - y, i - x);
      return part(0) ** 2 + part(1) ** 2 + part(2) ** 2;
    },
  };
}

/**
 * Exact Euclidean distances in mm to a set of voxels, on a grid of any spacing. Linear in the voxels: steps to the set along depth
 * are counted for all of them, and the lower envelopes of parabolas along height and width (Felzenszwalb and Huttenlocher,
 * "Distance transforms of sampled functions", 2012) are taken for the slices and rows that are asked for. Holds 2 bytes a voxel,
 * and a slice of float64.
 */
export class DistanceMap implements Distances {
  readonly shape: Shape3;
  readonly spacing: Shape3;
  /** Steps along depth to the nearest voxel of the set. */
  private readonly steps: Uint16Array;
  /** Squared distances within depth and height, of slice `slice`. */
  private readonly plane: Float64Array;
  private slice = -1;
  /** Which row `squares` holds, for one voxel after the other. */
  private row: readonly [number, number] = [-1, -1];
  private readonly squares: Float64Array;
  private readonly line: Float64Array;
  private readonly found: Float64Array;
  private readonly vertex: Int32Array;
  private readonly from: Float64Array;

  /**
   * `mark` tells which voxels are in the set. `spacing` is in mm, (depth, height, width). Throws ImagingError for a shape or spacing
   * that is none.
   */
  constructor(shape: Shape3, spacing: Shape3, mark: MarkSlice) {
    checkShape(shape);
    checkSpacing(spacing);
    const [depth, height, width] = shape;
    if (depth >= NONE)
      throw new ImagingError({ field: 'depth', expected: `fewer than ${NONE} slices`, found: `${depth}` });
    const most = Math.max(height, width);
    this.shape = shape;
    this.spacing = spacing;
    this.plane = new Float64Array(height * width);
    this.squares = new Float64Array(width);
    this.line = new Float64Array(most);
    this.found = new Float64Array(most);
    this.vertex = new Int32Array(most);
    this.from = new Float64Array(most);
    this.steps = countSteps(shape, mark);
  }

  squaredAt(k: number, j: number, i: number): number {
    if (k !== this.row[0] || j !== this.row[1]) this.squaredRow(k, j);
    return this.squares[i];
  }

  /** Squared distances in mm^2 of the voxels of a row; Infinity where the set is empty. The array is used again. */
  squaredRow(k: number, j: number): Float64Array {
    if (k !== this.slice) this.enter(k);
    const width = this.shape[2];
    const row = this.plane.subarray(j * width, (j + 1) * width);
    this.envelope(row, width, this.spacing[2], this.squares);
    this.row = [k, j];
    return this.squares;
  }

  private enter(k: number): void {
    const { plane, line, found, steps, spacing } = this;
    const [, height, width] = this.shape;
    const first = k * height * width;
    for (let i = 0; i < width; i++) {
      for (let j = 0; j < height; j++) {
        const away = steps[first + j * width + i];
        line[j] = away === NONE ? Number.POSITIVE_INFINITY : (away * spacing[0]) ** 2;
      }
      this.envelope(line, height, spacing[1], found);
      for (let j = 0; j < height; j++) plane[j * width + i] = found[j];
    }
    this.slice = k;
  }

  /** out[p] = min over q of heights[q] + ((p - q) * spacing)^2. */
  private envelope(heights: Float64Array, length: number, spacing: number, out: Float64Array): void {
    const { vertex, from } = this;
    const unit = spacing * spacing;
    let last = -1;
    for (let q = 0; q < length; q++) {
      if (heights[q] === Number.POSITIVE_INFINITY) continue;
      let where = Number.NEGATIVE_INFINITY;
      for (; last >= 0; last--) {
        // Where the parabola of q goes below that of the vertex before.
        const p = vertex[last];
        where = ((heights[q] - heights[p]) / unit / (q - p) + q + p) / 2;
        if (where > from[last]) break;
        where = Number.NEGATIVE_INFINITY;
      }
      vertex[++last] = q;
      from[last] = where;
    }
    if (last < 0) {
      out.fill(Number.POSITIVE_INFINITY, 0, length);
      return;
    }
    for (let p = 0, v = 0; p < length; p++) {
      while (v < last && from[v + 1] < p) v++;
      out[p] = heights[vertex[v]] + ((p - vertex[v]) * spacing) ** 2;
    }
  }
}

/** Steps along depth to the nearest marked voxel: one pass up, one down. */
function countSteps(shape: Shape3, mark: MarkSlice): Uint16Array {
  const [depth, height, width] = shape;
  const plane = height * width;
  const steps = new Uint16Array(voxelCount(shape));
  const flags = new Uint8Array(plane);
  for (let k = 0; k < depth; k++) {
    flags.fill(0);
    mark(k, flags);
    const at = k * plane;
    for (let n = 0; n < plane; n++) {
      const below = k === 0 ? NONE : steps[at + n - plane];
      steps[at + n] = flags[n] ? 0 : below === NONE ? NONE : below + 1;
    }
  }
  for (let at = (depth - 2) * plane; at >= 0; at -= plane)
    for (let n = at; n < at + plane; n++) {
      const above = steps[n + plane];
      if (above < steps[n]) steps[n] = above + 1;
    }
  return steps;
}

/** Throws ImagingError unless the spacing is three positive numbers (mm). */
export function checkSpacing(spacing: Shape3): void {
  if (spacing.length === 3 && spacing.every((mm) => mm > 0 && Number.isFinite(mm))) return;
  const found = `[${spacing.join(', ')}]`;
  throw new ImagingError({ field: 'spacing', expected: 'three positive numbers (mm)', found });
}
