import { ImagingError } from '../volume/errors.ts';
import { canonicalGrid } from '../volume/orientation.ts';
import type { PreparedGeometry, PrepareOptions } from '../volume/prepared-case.ts';
import {
  arrayLike,
  type Grid,
  type Shape3,
  spacingOf,
  type Volume,
  type VoxelArray,
  voxelCount,
} from '../volume/volume.ts';
import { resampleLabelsTo, resampleLabelsToCanonical } from './resample-labels.ts';
import { resampledGrid } from './resample-taps.ts';

// Between the grid of a scan's file and that of the prepared scan.

/** What a scan will be once it is prepared: from its header alone. */
export function preparedGeometry(
  id: string,
  { shape: stored, affine: place }: Grid,
  options: PrepareOptions,
): PreparedGeometry {
  const original = { shape: stored, affine: place };
  const { shape: filled, affine } = preparedGrid(original, options);
  const multiple = options.multipleOf ?? 1;
  const up = (n: number) => Math.ceil(n / multiple) * multiple;
  const shape: Shape3 = [up(filled[0]), up(filled[1]), up(filled[2])];
  return { id, shape, affine, original, filled };
}

/**
 * A label map that a network gave for a prepared case, in the grid and orientation of the case's file.
 * Throws ImagingError if it has another number of voxels than the prepared case.
 */
export function restoreLabels(labels: Uint8Array, prepared: PreparedGeometry): Volume<Uint8Array> {
  return resampleLabelsTo(cutToFilled(labels, prepared), prepared.original);
}

/** As restoreLabels, left in RAS+ order. */
export function restoreCanonicalLabels(labels: Uint8Array, prepared: PreparedGeometry): Volume<Uint8Array> {
  return resampleLabelsToCanonical(cutToFilled(labels, prepared), prepared.original);
}

function cutToFilled(labels: Uint8Array, { shape, filled, affine }: PreparedGeometry): Volume<Uint8Array> {
  if (labels.length !== voxelCount(shape)) {
    const expected = `${voxelCount(shape)} voxels for shape ${shape.join('x')}`;
    throw new ImagingError({ field: 'labels', expected, found: `${labels.length}` });
  }
  return { data: recut(labels, shape, filled), shape: filled, affine };
}

/** The grid that a stored scan will have when it is prepared, before air is added. */
export function preparedGrid(original: Grid, { spacing, size, plane }: PrepareOptions): Grid {
  const grid = canonicalGrid(original);
  if (spacing !== undefined && size !== undefined) {
    const found = `spacing ${spacing} and size ${size}`;
    throw new ImagingError({ field: 'preprocessing', expected: 'spacing or size', found });
  }
  if (spacing !== undefined) {
    if (!plane) return resampledGrid(grid, { spacing });
    const [, row, column] = typeof spacing === 'number' ? [spacing, spacing, spacing] : spacing;
    return resampledGrid(grid, { spacing: [spacingOf(grid)[0], row, column] });
  }
  if (size === undefined) return grid;
  return resampledGrid(grid, { shape: typeof size === 'number' ? [size, size, size] : size });
}

/** The corner that both shapes share; what `to` has beyond it is 0: air, background. */
export function recut<T extends VoxelArray>(data: T, from: Shape3, to: Shape3): T {
  if (from.every((n, axis) => n === to[axis])) return data;
  const out = arrayLike(data, voxelCount(to));
  const width = Math.min(from[2], to[2]);
  for (let k = 0; k < Math.min(from[0], to[0]); k++) {
    for (let j = 0; j < Math.min(from[1], to[1]); j++) {
      const row = (k * from[1] + j) * from[2];
      out.set(data.subarray(row, row + width), (k * to[1] + j) * to[2]);
    }
  }
  return out;
}
