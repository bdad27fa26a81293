import {
  type Affine,
  affineColumn,
  affineDeterminant,
  affineLean,
  applyAffine,
  isUsableAffine,
  PERPENDICULAR,
  type Vector3,
  vectorLength,
} from './affine.ts';
import { ImagingError } from './errors.ts';
import type { StoredOrientation } from './nifti-orientation.ts';

/** The arrays that voxels are kept in. */
export type VoxelArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array;

/** Voxels along depth (k), height (j) and width (i). */
export type Shape3 = readonly [depth: number, height: number, width: number];

/** Where a volume's voxels lie: how many there are and where each is in the patient. */
export interface Grid {
  readonly shape: Shape3;
  /** Maps (i, j, k) = (width, height, depth) indices to RAS+ mm. */
  readonly affine: Affine;
  /** What the header of its NIfTI file says, for files on the same grid; nothing else looks at it. */
  readonly stored?: StoredOrientation;
}

/**
 * A 3-D image or label map. `data` holds depth * height * width voxels, width fastest: voxel (k, j, i) is
 * `data[(k * height + j) * width + i]`, the order of a NIfTI file.
 */
export interface Volume<T extends VoxelArray = VoxelArray> extends Grid {
  readonly data: T;
}

/** The number of voxels of a shape. */
export function voxelCount(shape: Shape3): number {
  return shape[0] * shape[1] * shape[2];
}

/**
 * A volume from its parts, checked.
 * Throws ImagingError if the data has another length than the shape says or the affine is not invertible.
 */
export function makeVolume<T extends VoxelArray>(data: T, shape: Shape3, affine: Affine): Volume<T> {
  checkShape(shape);
  if (data.length !== voxelCount(shape)) {
    throw new ImagingError({
      field: 'data',
      expected: `${voxelCount(shape)} voxels for shape ${shape.join('x')}`,
      found: `${data.length}`,
    });
  }
  if (!isUsableAffine(affine)) {
    throw new ImagingError({
      field: 'affine',
      expected: '16 finite numbers whose 3x3 part is invertible',
      found: `[${affine.join(', ')}]`,
    });
  }
  return { data, shape, affine };
}

/** Throws ImagingError unless every extent is a positive integer and the whole has at most 2^31 voxels, of a picture 2^36. */
export function checkShape(shape: Shape3, field = 'shape'): void {
  const sound = shape.length === 3 && shape.every((n) => Number.isInteger(n) && n > 0);
  if (sound && voxelCount(shape) <= (shape[0] === 1 ? 2 ** 36 : 2 ** 31)) return;
  throw new ImagingError({
    field,
    expected: 'three positive whole numbers (depth, height, width), at most 2^31 voxels together',
    found: `[${shape.join(', ')}]`,
  });
}

/** The distance in mm between neighbouring voxels along depth, height and width. */
export function spacingOf(grid: Pick<Grid, 'affine'>): Shape3 {
  const along = (n: 0 | 1 | 2) => vectorLength(affineColumn(grid.affine, n));
  return [along(2), along(1), along(0)];
}

/** How large voxels are: mm along (depth, height, width) at right angles, or a grid, whose axes may lean. */
export type VoxelSize = Shape3 | Pick<Grid, 'affine'>;

const isGrid = (size: VoxelSize): size is Pick<Grid, 'affine'> => 'affine' in size;

/** Volume of a voxel in mm^3, also where axes lean. */
export function voxelVolume(size: VoxelSize): number {
  return isGrid(size) ? Math.abs(affineDeterminant(size.affine)) : size[0] * size[1] * size[2];
}

/** The spacing (depth, height, width) in mm where axes are perpendicular; undefined where they lean. */
export function straightSpacing(size: VoxelSize): Shape3 | undefined {
  if (!isGrid(size)) return size;
  return affineLean(size.affine) > PERPENDICULAR ? undefined : spacingOf(size);
}

/** The steps in mm to the next voxel along depth, height and width. */
export function voxelSteps(size: VoxelSize): readonly [Vector3, Vector3, Vector3] {
  if (!isGrid(size))
    return [
      [0, 0, size[0]],
      [0, size[1], 0],
      [size[2], 0, 0],
    ];
  return [affineColumn(size.affine, 2), affineColumn(size.affine, 1), affineColumn(size.affine, 0)];
}

/** A fresh zeroed array of the same kind. */
export function arrayLike<T extends VoxelArray>(like: T, length: number): T {
  return new (like.constructor as new (length: number) => T)(length);
}

/**
 * Whether two grids have the same shape and put their voxels in the same places: no corner differs by more
 * than `tolerance` times the smallest spacing.
 */
export function sameGrid(a: Grid, b: Grid, tolerance = 0.1): boolean {
  if (a.shape.some((n, axis) => n !== b.shape[axis])) return false;
  const limit = tolerance * Math.min(...spacingOf(a), ...spacingOf(b));
  for (let corner = 0; corner < 8; corner++) {
    const index = [
      corner & 1 ? a.shape[2] - 1 : 0,
      corner & 2 ? a.shape[1] - 1 : 0,
      corner & 4 ? a.shape[0] - 1 : 0,
    ] as const;
    const [p, q] = [applyAffine(a.affine, index), applyAffine(b.affine, index)];
    if (Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]) > limit) return false;
  }
  return true;
}

/** A grid in words, for messages: shape, spacing, where the axes point and where the first voxel is. */
export function describeGrid(grid: Grid): string {
  const numbers = (values: readonly number[], digits: number) =>
    values.map((v) => +v.toFixed(digits)).join(', ');
  const { affine } = grid;
  return (
    `depth x height x width ${grid.shape.join('x')}, spacing ${numbers(spacingOf(grid), 3)} mm, ` +
    `affine [${numbers(affine.slice(0, 4), 3)}; ${numbers(affine.slice(4, 8), 3)}; ${numbers(affine.slice(8, 12), 3)}]`
  );
}
