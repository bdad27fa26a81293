import type { Affine } from './affine.ts';
import type { Case } from './dataset.ts';
import { ImagingError } from './errors.ts';
import { alignLabels, labelBytes } from './labels.ts';
import { readNifti } from './nifti-read.ts';
import { canonicalGrid, toCanonical } from './orientation.ts';
import { resampleImage } from './resample.ts';
import { resampleLabels, resampleLabelsTo } from './resample-labels.ts';
import { resampledGrid } from './resample-taps.ts';
import { arrayLike, type Grid, type Shape3, type Volume, type VoxelArray, voxelCount } from './volume.ts';
import { applyWindow, paperWindow, type Window } from './window.ts';

/** What a network sees of a scan. Without spacing and size the scan keeps its own voxels. */
export interface PrepareOptions {
  /** Resample to this voxel size in mm: one number, or (depth, height, width). Not together with size. */
  readonly spacing?: number | Shape3;
  /** Resample to this many voxels: N for a cube of N^3 (the paper's form), or (depth, height, width). */
  readonly size?: number | Shape3;
  /** Add air at the far ends until every extent is a multiple of this. 1 (nothing added) by default. */
  readonly multipleOf?: number;
  /** The HU range that becomes 0..1; -512..512 by default. */
  readonly window?: Window;
}

/** A scan ready for a network, in RAS+ order: depth to the head, height to the front, width to the right. */
export interface PreparedCase {
  readonly id: string;
  /** [depth, height, width], windowed to 0..1. */
  readonly image: Float32Array;
  /** [depth, height, width]; absent where the case has no label map. */
  readonly labels?: Uint8Array;
  readonly shape: Shape3;
  readonly affine: Affine;
  /** The grid of the file, to come back to. */
  readonly original: Grid;
  /** The shape before air was added; the scan fills this corner of `shape`. */
  readonly filled: Shape3;
}

/**
 * Reads a case and prepares it. Throws ImagingError if a file cannot be used, if the label map does not lie
 * on its image, or if the options contradict each other.
 */
export async function loadCase(entry: Case, options: PrepareOptions = {}): Promise<PreparedCase> {
  const image = await readNifti(entry.image);
  if (entry.label === undefined) return prepareCase(entry.id, image, undefined, options);
  const labels = labelBytes(await readNifti(entry.label), entry.label, entry.labelNames);
  const aligned = alignLabels(labels, canonicalGrid(image), entry.label);
  return prepareCase(entry.id, image, aligned, options);
}

/** As loadCase, from volumes in memory: an image in HU of any orientation, and RAS+ labels on its grid. */
export function prepareCase(
  id: string,
  image: Volume,
  labels: Volume<Uint8Array> | undefined,
  options: PrepareOptions = {},
): PreparedCase {
  const { volume } = toCanonical(image);
  const { shape: filled, affine } = targetGrid(volume, options);
  const resampled = resampleImage(volume, { shape: filled }).data;
  const windowed = applyWindow(resampled, options.window ?? paperWindow, resampled);
  const multiple = options.multipleOf ?? 1;
  const up = (n: number) => Math.ceil(n / multiple) * multiple;
  const shape: Shape3 = [up(filled[0]), up(filled[1]), up(filled[2])];
  const prepared: PreparedCase = {
    id,
    image: recut(windowed, filled, shape),
    shape,
    affine,
    original: { shape: image.shape, affine: image.affine },
    filled,
  };
  if (labels === undefined) return prepared;
  return { ...prepared, labels: recut(resampleLabels(labels, { shape: filled }).data, filled, shape) };
}

/**
 * A label map that a network gave for a prepared case, in the grid and orientation of the case's file.
 * Throws ImagingError if it has another number of voxels than the prepared case.
 */
export function restoreLabels(
  labels: Uint8Array,
  prepared: Omit<PreparedCase, 'image' | 'labels'>,
): Volume<Uint8Array> {
  const { shape, filled, affine, original } = prepared;
  if (labels.length !== voxelCount(shape)) {
    const expected = `${voxelCount(shape)} voxels for shape ${shape.join('x')}`;
    throw new ImagingError({ field: 'labels', expected, found: `${labels.length}` });
  }
  return resampleLabelsTo({ data: recut(labels, shape, filled), shape: filled, affine }, original);
}

function targetGrid(volume: Volume, { spacing, size }: PrepareOptions): Grid {
  if (spacing !== undefined && size !== undefined) {
    const found = `spacing ${spacing} and size ${size}`;
    throw new ImagingError({ field: 'preprocessing', expected: 'spacing or size', found });
  }
  if (spacing !== undefined) return resampledGrid(volume, { spacing });
  if (size === undefined) return volume;
  return resampledGrid(volume, { shape: typeof size === 'number' ? [size, size, size] : size });
}

/** The corner that both shapes share; what `to` has beyond it is 0: air, background. */
function recut<T extends VoxelArray>(data: T, from: Shape3, to: Shape3): T {
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
