import type { Vector3 } from '../volume/affine.ts';
import { straightSpacing, type VoxelSize, voxelSteps } from '../volume/volume.ts';
import { checkSpacing } from './distance.ts';

// The surface of a set of voxels as small elements, one in every cell between 2 x 2 x 2 voxel centres that are not all inside or
// all outside: Nikolov et al., "Deep learning to achieve clinically applicable segmentation of head and neck anatomy for
// radiotherapy" (arXiv 1809.04430). A cell is known by its code, in which bit 4 dz + 2 dy + dx is set where the voxel at
// (dz, dy, dx) of the cell is inside.

/**
 * The area in mm^2 of the element in a cell of each of the 256 codes. The surface meets cell edges between inside and outside in their middle; every
 * group of corners that hang together over edges is cut off by one polygon, made of triangles. Of inside and outside the smaller
 * is grouped (inside at 4 against 4).
 */
export function cellAreas(voxel: VoxelSize): Float64Array {
  const size = areaIn(voxel);
  return Float64Array.from({ length: 256 }, (_, code) => {
    const smaller = corners(code).length > 4 ? ~code & 255 : code;
    return groups(smaller)
      .flatMap(trianglesOf)
      .reduce((sum, triangle) => sum + size(triangle), 0);
  });
}

/** What the area vector of a piece in a cell of size 1 measures in mm^2 on voxels of a size. */
function areaIn(voxel: VoxelSize): (vector: Vector) => number {
  const spacing = straightSpacing(voxel);
  if (spacing !== undefined) {
    checkSpacing(spacing);
    const [z, y, x] = spacing;
    return ([a, b, c]) => Math.hypot(a * y * x, b * z * x, c * z * y);
  }
  const [z, y, x] = voxelSteps(voxel);
  const faces = [cross(y, x), cross(x, z), cross(z, y)];
  return (vector) => {
    const along = (n: 0 | 1 | 2) => vector.reduce((sum, part, axis) => sum + part * faces[axis][n], 0);
    return Math.hypot(along(0), along(1), along(2));
  };
}

const cross = (a: Vector3, b: Vector3): Vector3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** Along depth, height, width. */
type Vector = readonly [number, number, number];

/** Bits of a corner's number that are other at its neighbours along depth, height, width. */
const STEPS = [4, 2, 1] as const;

const corners = (code: number): number[] => [0, 1, 2, 3, 4, 5, 6, 7].filter((corner) => code & (1 << corner));

/** The corners of a code, in groups that hang together over edges of the cell. */
function groups(code: number): number[][] {
  const found: number[][] = [];
  for (let left = corners(code); left.length > 0; ) {
    const group = [left[0]];
    for (const corner of group)
      for (const step of STEPS)
        if (left.includes(corner ^ step) && !group.includes(corner ^ step)) group.push(corner ^ step);
    left = left.filter((corner) => !group.includes(corner));
    found.push(group);
  }
  return found;
}

/**
 * Area vectors of flat pieces of the polygon that cuts off a group of 1 to 4 corners, in a cell of size 1: what of a piece is seen
 * along each axis. They point away from the group, or all into it.
 */
function trianglesOf(group: readonly number[]): Vector[] {
  const edges = STEPS.map(
    (step) => group.filter((corner) => !(corner & step) && group.includes(corner ^ step)).length,
  );
  const along = (weights: readonly number[]): Vector => [weights[0], weights[1], weights[2]];
  /** Away from a corner, with these parts. */
  const from = (corner: number, parts: readonly number[]): Vector =>
    along(STEPS.map((step, axis) => (corner & step ? -parts[axis] : parts[axis])));
  const all = (corner: number, length: number): Vector => from(corner, [length, length, length]);
  const degree = (corner: number): number => STEPS.filter((step) => group.includes(corner ^ step)).length;
  switch (group.length) {
    case 1:
      return [all(group[0], 1 / 8)];
    case 2:
      // A rectangle that the edge lies beside.
      return [
        from(
          group[0],
          edges.map((n) => (n ? 0 : 1 / 2)),
        ),
      ];
    case 3: {
      // An L: a triangle across the face that it lies in, and a trapezoid; both away from the corner in the middle.
      const [middle] = group.filter((corner) => degree(corner) === 2);
      return [
        from(
          middle,
          edges.map((n) => (n ? 0 : 1 / 2)),
        ),
        all(middle, 3 / 8),
      ];
    }
    default: {
      // A face of the cell: the square in the middle.
      if (edges.includes(2)) return [along(edges.map((n) => (n ? 0 : 1)))];
      // A corner and its three neighbours: a flat hexagon.
      const centre = group.find((corner) => degree(corner) === 3);
      if (centre !== undefined) return [all(centre, 3 / 4)];
      // A path along three axes: a bent hexagon, with a parallelogram and a triangle at each end of the middle edge.
      const [a, b] = group.filter((corner) => degree(corner) === 2);
      const middle = STEPS.findIndex((step) => (a ^ b) === step);
      const ends = [0, 1, 2].filter((axis) => axis !== middle);
      const beside = (end: number): Vector =>
        along([0, 1, 2].map((axis) => (axis === middle || axis === end ? 1 / 4 : 0)));
      return [all(a, 1 / 4), all(b, 1 / 4), beside(ends[0]), beside(ends[1])];
    }
  }
}
