import type { Shape3 } from '../volume/volume.ts';
import type { VoxelBox } from '../volume/voxel-source.ts';
import { type Field, FieldRows } from './augment-field.ts';

/** p -> matrix * p + offset, in (depth, height, width) voxels. */
export interface AffineMap {
  /** 3x3, row by row. */
  readonly matrix: readonly number[];
  readonly offset: readonly number[];
}

/**
 * A projective map within the planes across an axis: (p, q, 1) -> matrix * (p, q, 1), the first two divided by the third, which
 * is 1 at the centre of the volume.
 */
export interface PlaneMap {
  /** The axes of p and q. */
  readonly axes: readonly [number, number];
  /** 3x3, row by row. */
  readonly matrix: readonly number[];
}

/** Which axes (depth, height, width) are counted from their other end. */
export type Flips = readonly [boolean, boolean, boolean];

/**
 * Where the voxels of a changed volume are read: an output voxel goes through `elastic`, `affine` and then `planes`, one after
 * the other, and ends at a position of the flipped volume.
 */
export interface SpatialMap {
  readonly shape: Shape3;
  readonly flips: Flips;
  /** Shifts in voxels along depth, height and width, and the largest of them. */
  readonly elastic?: { readonly fields: readonly Field[]; readonly most: Shape3 };
  readonly affine?: AffineMap;
  readonly planes: readonly PlaneMap[];
}

/** Below this the divisor of a projective map is no camera's any more: the position counts as outside. */
const leastDivisor = 0.1;

/** Whether voxels keep their values, if not their places. */
export function isExact({ elastic, affine, planes }: SpatialMap): boolean {
  return elastic === undefined && affine === undefined && planes.length === 0;
}

/** Positions of the voxels of rows of an output box, in the flipped volume. */
export class RowPositions {
  readonly z: Float64Array;
  readonly y: Float64Array;
  readonly x: Float64Array;
  private readonly map: SpatialMap;
  private readonly box: VoxelBox;
  private readonly shifts: readonly FieldRows[];

  constructor(map: SpatialMap, box: VoxelBox) {
    this.map = map;
    this.box = box;
    this.shifts = map.elastic?.fields.map((field) => new FieldRows(field, box)) ?? [];
    const width = box.end[2] - box.start[2];
    [this.z, this.y, this.x] = [0, 1, 2].map(() => new Float64Array(width));
  }

  /** Must be called before the rows of a plane, with rising k. */
  startPlane(k: number): void {
    for (const shift of this.shifts) shift.startPlane(k);
  }

  /** Puts the positions of row (k, j) in z, y and x. */
  row(k: number, j: number): void {
    const { z, y, x, map, box } = this;
    const start = box.start[2];
    for (let n = 0; n < x.length; n++) {
      z[n] = k;
      y[n] = j;
      x[n] = start + n;
    }
    const axes = [z, y, x];
    this.shifts.forEach((shift, axis) => {
      const row = shift.row(j);
      if (row) shiftRow(axes[axis], row);
    });
    if (map.affine) applyAffineRow(map.affine, z, y, x);
    for (const { axes: within, matrix } of map.planes)
      applyPlaneRow(matrix, axes[within[0]], axes[within[1]]);
  }
}

function shiftRow(row: Float64Array, by: Float32Array): void {
  for (let n = 0; n < row.length; n++) row[n] += by[n];
}

function applyAffineRow(
  { matrix, offset }: AffineMap,
  z: Float64Array,
  y: Float64Array,
  x: Float64Array,
): void {
  const [a, b, c, d, e, f, g, h, i] = matrix;
  const [oz, oy, ox] = offset;
  for (let n = 0; n < x.length; n++) {
    const pz = z[n];
    const py = y[n];
    const px = x[n];
    z[n] = a * pz + b * py + oz + c * px;
    y[n] = d * pz + e * py + oy + f * px;
    x[n] = g * pz + h * py + ox + i * px;
  }
}

function applyPlaneRow(matrix: readonly number[], p: Float64Array, q: Float64Array): void {
  const [a, b, c, d, e, f, g, h, i] = matrix;
  for (let n = 0; n < p.length; n++) {
    const u = p[n];
    const v = q[n];
    const divisor = g * u + h * v + i;
    const scale = divisor >= leastDivisor ? 1 / divisor : Number.NaN;
    p[n] = (a * u + b * v + c) * scale;
    q[n] = (d * u + e * v + f) * scale;
  }
}

/** The box of the volume that a box of the output reads, with one voxel to spare for rounding; possibly empty. */
export function readBox(map: SpatialMap, box: VoxelBox): VoxelBox {
  const { shape, flips, elastic, affine, planes } = map;
  let low = box.start.map(Number);
  let high = box.end.map((end) => end - 1);
  if (elastic) {
    low = low.map((value, axis) => value - elastic.most[axis]);
    high = high.map((value, axis) => value + elastic.most[axis]);
  }
  if (affine) [low, high] = affineHull(affine, low, high);
  for (const plane of planes) {
    const hull = planeHull(plane, low, high);
    if (hull === undefined) return { start: [0, 0, 0], end: shape };
    [low, high] = hull;
  }
  const margin = isExact(map) ? 0 : 1;
  const along = (axis: 0 | 1 | 2): readonly [number, number] => {
    const last = shape[axis] - 1;
    const from = flips[axis] ? last - high[axis] : low[axis];
    const to = flips[axis] ? last - low[axis] : high[axis];
    const start = Math.min(shape[axis], Math.max(0, Math.floor(from) - margin));
    return [start, Math.max(start, Math.min(shape[axis], Math.ceil(to) + 1 + margin))];
  };
  const [k, j, i] = [along(0), along(1), along(2)];
  return { start: [k[0], j[0], i[0]], end: [k[1], j[1], i[1]] };
}

type Hull = [low: number[], high: number[]];

function affineHull({ matrix, offset }: AffineMap, low: readonly number[], high: readonly number[]): Hull {
  const hull: Hull = [[...offset], [...offset]];
  for (let row = 0; row < 3; row++)
    for (let axis = 0; axis < 3; axis++) {
      const ends = [matrix[row * 3 + axis] * low[axis], matrix[row * 3 + axis] * high[axis]];
      hull[0][row] += Math.min(...ends);
      hull[1][row] += Math.max(...ends);
    }
  return hull;
}

/** Of a rectangle, whose corners bound it; undefined where a corner has no place. */
function planeHull(
  { axes: [p, q], matrix }: PlaneMap,
  low: readonly number[],
  high: readonly number[],
): Hull | undefined {
  const u = Float64Array.of(low[p], low[p], high[p], high[p]);
  const v = Float64Array.of(low[q], high[q], low[q], high[q]);
  applyPlaneRow(matrix, u, v);
  if (u.some(Number.isNaN)) return undefined;
  const hull: Hull = [[...low], [...high]];
  for (const [axis, values] of [
    [p, u],
    [q, v],
  ] as const) {
    hull[0][axis] = Math.min(...values);
    hull[1][axis] = Math.max(...values);
  }
  return hull;
}
