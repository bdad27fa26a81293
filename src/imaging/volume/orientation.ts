import { type Affine, affineColumn, multiplyAffine, vectorLength } from './affine.ts';
import { arrayLike, type Grid, type Shape3, sameGrid, type Volume, type VoxelArray } from './volume.ts';
import { boxShape, type VoxelBox } from './voxel-source.ts';

type Axis = 0 | 1 | 2;

/**
 * How a stored volume lies in the patient: for each anatomical axis (0 left to right, 1 back to front,
 * 2 feet to head) the stored index axis (0 = i, 1 = j, 2 = k) that follows it most closely, and whether that
 * index runs against it.
 */
export interface Orientation {
  readonly axes: readonly [Axis, Axis, Axis];
  readonly flipped: readonly [boolean, boolean, boolean];
}

/** A volume in RAS+ order (i to the right, j to the front, k to the head) and what it was before. */
export interface CanonicalVolume<T extends VoxelArray = VoxelArray> {
  readonly volume: Volume<T>;
  readonly orientation: Orientation;
}

const orders: readonly (readonly [Axis, Axis, Axis])[] = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

/**
 * The orientation of an affine. Oblique axes go to the closest anatomical ones: of all 48 ways, the one with
 * the largest sum of cosines, which for perpendicular axes is the one with the smallest angle of rotation.
 */
export function orientationOf(affine: Affine): Orientation {
  const cosine = (anatomical: Axis, stored: Axis) => {
    const column = affineColumn(affine, stored);
    return column[anatomical] / vectorLength(column);
  };
  const agreement = (order: readonly [Axis, Axis, Axis]) =>
    Math.abs(cosine(0, order[0])) + Math.abs(cosine(1, order[1])) + Math.abs(cosine(2, order[2]));
  // A later order must be better by more than rounding, so that exact diagonals resolve the same way always.
  const axes = orders.reduce((best, order) => (agreement(order) > agreement(best) + 1e-6 ? order : best));
  const flipped = [cosine(0, axes[0]) < 0, cosine(1, axes[1]) < 0, cosine(2, axes[2]) < 0] as const;
  return { axes, flipped };
}

/** Where i, j and k point, as three letters of L/R, P/A, I/S: `RAS` for the canonical orientation. */
export function orientationCode(affine: Affine): string {
  const { axes, flipped } = orientationOf(affine);
  const letters = ['RL', 'AP', 'SI'] as const;
  const code = ['', '', ''];
  for (const axis of [0, 1, 2] as const) code[axes[axis]] = letters[axis][flipped[axis] ? 1 : 0];
  return code.join('');
}

/**
 * How `grid` must be turned to lie voxel for voxel on `target`, in any order of its axes; undefined where it lies elsewhere. Which
 * axes are nearest does not matter: at 45 degrees rounding alone decides that.
 */
export function orientationOnto(grid: Grid, target: Grid): Orientation | undefined {
  const nearest = orientationOf(grid.affine);
  const fits = (orientation: Orientation) => sameGrid(reorderedGrid(grid, orientation), target);
  if (fits(nearest)) return nearest;
  for (const axes of orders)
    for (let turned = 0; turned < 8; turned++) {
      const flipped = [(turned & 1) > 0, (turned & 2) > 0, (turned & 4) > 0] as const;
      if (fits({ axes, flipped })) return { axes, flipped };
    }
  return undefined;
}

/** The grid of toCanonical's volume. */
export function canonicalGrid(grid: Grid): Grid {
  return reorderedGrid(grid, orientationOf(grid.affine));
}

/**
 * The volume with its axes exchanged and turned until it is RAS+; every voxel keeps its value and its place
 * in the patient. A volume that is RAS+ already is returned as it is, sharing its data.
 */
export function toCanonical<T extends VoxelArray>(volume: Volume<T>): CanonicalVolume<T> {
  const orientation = orientationOf(volume.affine);
  return { volume: reorder(volume, orientation), orientation };
}

/** Undoes toCanonical: brings a RAS+ volume into the order that `orientation` describes. */
export function fromCanonical<T extends VoxelArray>(volume: Volume<T>, orientation: Orientation): Volume<T> {
  return reorder(volume, inverse(orientation));
}

function inverse({ axes, flipped }: Orientation): Orientation {
  const back: [Axis, Axis, Axis] = [0, 1, 2];
  const turned: [boolean, boolean, boolean] = [false, false, false];
  for (const axis of [0, 1, 2] as const) {
    back[axes[axis]] = axis;
    turned[axes[axis]] = flipped[axis];
  }
  return { axes: back, flipped: turned };
}

/** New index axis n takes the old axis axes[n], counted from its other end where flipped[n]. */
function reorderedGrid(grid: Grid, { axes, flipped }: Orientation): Grid {
  const extents = [grid.shape[2], grid.shape[1], grid.shape[0]];
  const oldFromNew = new Array<number>(16).fill(0);
  oldFromNew[15] = 1;
  for (const axis of [0, 1, 2] as const) {
    oldFromNew[axes[axis] * 4 + axis] = flipped[axis] ? -1 : 1;
    if (flipped[axis]) oldFromNew[axes[axis] * 4 + 3] = extents[axes[axis]] - 1;
  }
  const shape: Shape3 = [extents[axes[2]], extents[axes[1]], extents[axes[0]]];
  return { shape, affine: multiplyAffine(grid.affine, oldFromNew) };
}

function reorder<T extends VoxelArray>(volume: Volume<T>, orientation: Orientation): Volume<T> {
  const { axes, flipped } = orientation;
  if (axes.every((axis, n) => axis === n) && !flipped.some(Boolean)) return volume;
  const grid = reorderedGrid(volume, orientation);
  const [, height, width] = volume.shape;
  const strides = [1, width, width * height];
  const extents = [width, height, volume.shape[0]];
  const from = sideOf(
    axes.map((axis, n) => ({ step: strides[axis], extent: extents[axis], turned: flipped[n] })),
  );
  const data = arrayLike(volume.data, volume.data.length);
  copyStrided(volume.data, from, data, rowMajor(grid.shape), grid.shape);
  return { data, ...grid };
}

/** Puts slices of a stored volume, a few at a time, from slice `first` on, where they belong in a RAS+ array. */
export type SlicePlacer = (slices: VoxelArray, first: number) => void;

/**
 * A placer of the slices of `grid` into `out`, an array of shape `room` (at least that of the canonical grid), whose corner
 * they fill. In the end `out` holds what toCanonical gives, with nothing but a few slices of the original in memory.
 */
export function canonicalPlacer(grid: Grid, out: VoxelArray, room: Shape3): SlicePlacer {
  const [depth, height, width] = grid.shape;
  const { axes, flipped } = inverse(orientationOf(grid.affine));
  const strides = [1, room[2], room[2] * room[1]];
  const extents = [width, height, depth];
  const to = sideOf(axes.map((axis, n) => ({ step: strides[axis], extent: extents[n], turned: flipped[n] })));
  return (slices, first) => {
    const shape: Shape3 = [slices.length / (height * width), height, width];
    const start = to.start + first * to.steps[0];
    copyStrided(slices, rowMajor(shape), out, { ...to, start }, shape);
  };
}

/**
 * A placer of the slices of `grid` into `out`, which holds a box of its canonical grid (depth, height, width), or of the grid that
 * another orientation gives: what lies outside the box is left out.
 */
export function boxPlacer(
  grid: Grid,
  box: VoxelBox,
  out: VoxelArray,
  orientation = orientationOf(grid.affine),
): SlicePlacer {
  const [, height, width] = grid.shape;
  const { axes, flipped } = inverse(orientation);
  const extents = [width, height, grid.shape[0]];
  const room = boxShape(box);
  const strides = [1, room[2], room[2] * room[1]];
  // Of the stored axes i, j and k.
  const [is, js, ks] = axes.map((axis, n) => {
    const [start, end] = [box.start[2 - axis], box.end[2 - axis]];
    return flipped[n] ? { start: extents[n] - end, end: extents[n] - start } : { start, end };
  });
  const to = sideOf(
    [is, js, ks].map(({ start, end }, n) => ({
      step: strides[axes[n]],
      extent: end - start,
      turned: flipped[n],
    })),
  );
  return (slices, first) => {
    const count = slices.length / (height * width);
    const [from, until] = [Math.max(first, ks.start), Math.min(first + count, ks.end)];
    if (from >= until) return;
    const corner = ((from - first) * height + js.start) * width + is.start;
    const source = { ...rowMajor([count, height, width]), start: corner };
    const target = { ...to, start: to.start + (from - ks.start) * to.steps[0] };
    copyStrided(slices, source, out, target, [until - from, js.end - js.start, is.end - is.start]);
  };
}

/**
 * A placer of slices of the canonical grid of `grid` into `out`, an array in the order of `grid` itself: the way back of
 * {@link canonicalPlacer}.
 */
export function storedPlacer(grid: Grid, out: VoxelArray): SlicePlacer {
  const { axes, flipped } = orientationOf(grid.affine);
  const [, height, width] = canonicalGrid(grid).shape;
  const extents = [grid.shape[2], grid.shape[1], grid.shape[0]];
  const strides = [1, extents[0], extents[0] * extents[1]];
  const to = sideOf(
    axes.map((axis, n) => ({ step: strides[axis], extent: extents[axis], turned: flipped[n] })),
  );
  return (slices, first) => {
    const shape: Shape3 = [slices.length / (height * width), height, width];
    const start = to.start + first * to.steps[0];
    copyStrided(slices, rowMajor(shape), out, { ...to, start }, shape);
  };
}

/** Where slices `first` to `end` (exclusive) of a stored volume lie in its canonical grid. */
export function boxOfSlices(grid: Grid, first: number, end: number): VoxelBox {
  const { axes, flipped } = orientationOf(grid.affine);
  const anatomical = axes.indexOf(2);
  // Of the canonical array (depth, height, width).
  const across = 2 - anatomical;
  const [from, until] = flipped[anatomical] ? [grid.shape[0] - end, grid.shape[0] - first] : [first, end];
  const { shape } = canonicalGrid(grid);
  const side = (at: number, others: readonly number[]): Shape3 => {
    const [k, j, i] = others.map((n, axis) => (axis === across ? at : n));
    return [k, j, i];
  };
  return { start: side(from, [0, 0, 0]), end: side(until, shape) };
}

/** How a copy walks through one of its arrays: element (k, j, i) is at start + k * steps[0] + j * steps[1] + i * steps[2]. */
interface Side {
  readonly start: number;
  readonly steps: Shape3;
}

/** The walk along i, j and k, given in this order; a turned axis is walked from its end. */
function sideOf(axes: readonly { step: number; extent: number; turned: boolean }[]): Side {
  const start = axes.reduce((sum, { step, extent, turned }) => sum + (turned ? (extent - 1) * step : 0), 0);
  const [i, j, k] = axes.map(({ step, turned }) => (turned ? -step : step));
  return { start, steps: [k, j, i] };
}

const rowMajor = ([, height, width]: Shape3): Side => ({ start: 0, steps: [height * width, width, 1] });

/** Lines of voxels that lie apart on one side are copied in blocks, so that both sides stay cached. */
const block = 32;
/** Fewer along a row: lines that lie a power of two apart share few places in a cache. */
const rowBlock = 8;

/** Copies `shape` elements from one walk to the other. */
function copyStrided(from: VoxelArray, source: Side, to: VoxelArray, target: Side, shape: Shape3): void {
  const [depth, height, width] = shape;
  const near = (axis: number) => Math.abs(source.steps[axis]) === 1 || Math.abs(target.steps[axis]) === 1;
  const kBlock = near(0) ? block : 1;
  const jBlock = near(1) ? block : 1;
  const iBlock = Math.abs(source.steps[2]) === Math.abs(target.steps[2]) ? width : rowBlock;
  const at = ({ start, steps }: Side, k: number, j: number, i: number) =>
    start + k * steps[0] + j * steps[1] + i * steps[2];
  const [read, write] = [source.steps[2], target.steps[2]];
  for (let k0 = 0; k0 < depth; k0 += kBlock) {
    for (let j0 = 0; j0 < height; j0 += jBlock) {
      for (let i0 = 0; i0 < width; i0 += iBlock) {
        const iEnd = Math.min(width, i0 + iBlock);
        for (let k = k0; k < Math.min(depth, k0 + kBlock); k++) {
          for (let j = j0; j < Math.min(height, j0 + jBlock); j++) {
            let s = at(source, k, j, i0);
            let t = at(target, k, j, i0);
            if (read === 1 && write === 1) {
              to.set(from.subarray(s, s + iEnd - i0), t);
              continue;
            }
            for (let i = i0; i < iEnd; i++) {
              to[t] = from[s];
              s += read;
              t += write;
            }
          }
        }
      }
    }
  }
}
