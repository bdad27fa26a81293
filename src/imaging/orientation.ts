import { type Affine, affineColumn, multiplyAffine, vectorLength } from './affine.ts';
import { arrayLike, type Grid, type Shape3, type Volume, type VoxelArray } from './volume.ts';

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

/** The orientation that asks for no change. */
export const canonicalOrientation: Orientation = { axes: [0, 1, 2], flipped: [false, false, false] };

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
  const [depth, height, width] = volume.shape;
  const strides = [1, width, width * height];
  const extents = [width, height, depth];
  const steps = axes.map((axis, n) => (flipped[n] ? -strides[axis] : strides[axis]));
  const start = axes.reduce<number>(
    (sum, axis, n) => sum + (flipped[n] ? (extents[axis] - 1) * strides[axis] : 0),
    0,
  );
  const data = arrayLike(volume.data, volume.data.length);
  copyStrided(volume.data, data, grid.shape, start, [steps[2], steps[1], steps[0]]);
  return { data, ...grid };
}

/** Lines of voxels whose source lies apart are copied in blocks of this many, so that both sides stay cached. */
const block = 32;

/** Fills `to`, of the given shape, from from[start + k * steps[0] + j * steps[1] + i * steps[2]]. */
function copyStrided(from: VoxelArray, to: VoxelArray, shape: Shape3, start: number, steps: Shape3): void {
  const [depth, height, width] = shape;
  const [stepK, stepJ, stepI] = steps;
  const kBlock = Math.abs(stepK) === 1 ? block : 1;
  const jBlock = Math.abs(stepJ) === 1 ? block : 1;
  const iBlock = Math.abs(stepI) === 1 ? width : block;
  for (let k0 = 0; k0 < depth; k0 += kBlock) {
    for (let j0 = 0; j0 < height; j0 += jBlock) {
      for (let i0 = 0; i0 < width; i0 += iBlock) {
        for (let k = k0; k < Math.min(depth, k0 + kBlock); k++) {
          for (let j = j0; j < Math.min(height, j0 + jBlock); j++) {
            let source = start + k * stepK + j * stepJ + i0 * stepI;
            const row = (k * height + j) * width;
            for (let i = i0; i < Math.min(width, i0 + iBlock); i++) {
              to[row + i] = from[source];
              source += stepI;
            }
          }
        }
      }
    }
  }
}
