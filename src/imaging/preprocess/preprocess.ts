import type { Case } from '../dataset/dataset.ts';
import { loadLabels } from '../dataset/labels.ts';
import { readScanSlabs } from '../formats/scan.ts';
import { isZarr } from '../store/format.ts';
import { readStoredCase } from '../store/stored-case.ts';
import { IntensitySample } from '../volume/clipped-share.ts';
import { ImagingError } from '../volume/errors.ts';
import { applyWindow, type IntensityWindow, paperWindow } from '../volume/intensity-window.ts';
import { canonicalGrid, canonicalPlacer } from '../volume/orientation.ts';
import type { PreparedCase, PreparedGeometry, PrepareOptions } from '../volume/prepared-case.ts';
import type { ScanHeader, SlabSink } from '../volume/scan-types.ts';
import {
  arrayLike,
  type Grid,
  type Shape3,
  type Volume,
  type VoxelArray,
  voxelCount,
} from '../volume/volume.ts';
import { compactArray } from '../volume/voxel-decoder.ts';
import { resamplePlanes } from './resample.ts';
import { resampleLabels, resampleLabelsTo, resampleLabelsToCanonical } from './resample-labels.ts';
import { resampledGrid } from './resample-taps.ts';

export type { PreparedCase, PreparedGeometry, PrepareOptions } from '../volume/prepared-case.ts';

/**
 * Reads a case and prepares it; of a store of preprocessed cases it reads the whole. Beside what it returns it holds a few slices, and where a scan is resampled the scan itself,
 * in the type of its file. The image is put in `spare` where that has its length. Throws ImagingError if a file cannot be used, if the label map does not lie
 * on its image, if the options contradict each other, or if the window does not show the scan and the case asks for that check.
 */
export async function loadCase(
  entry: Case,
  options: PrepareOptions = {},
  spare?: Float32Array,
): Promise<PreparedCase> {
  if (isZarr(entry.image)) return readStoredCase(entry, options);
  const prepared = await readScanSlabs(entry.image, { series: entry.series }, (file) => {
    const sink = prepareSlices(entry.id, file, options, (voxels) => compactArray(file, voxels), spare);
    return entry.checkWindow ? withCheck(sink, file, entry.id, options.window) : sink;
  });
  if (entry.label === undefined) return prepared;
  const labels = await loadLabels(
    entry.label,
    canonicalGrid(prepared.original),
    entry.labelNames,
    entry.labelCodes,
  );
  return withLabels(prepared, labels);
}

/** The same, and in the end the window is refused where it does not show the scan. */
function withCheck<T>(
  sink: SlabSink<T>,
  { file, shape }: ScanHeader,
  id: string,
  window: IntensityWindow = paperWindow,
): SlabSink<T> {
  const sample = new IntensitySample(voxelCount(shape), shape[2]);
  return {
    take(voxels, first) {
      sample.take(voxels);
      sink.take(voxels, first);
    },
    end() {
      sample.check(window, { file, id });
      return sink.end();
    },
  };
}

/** As loadCase, from volumes in memory: an image in HU of any orientation, and RAS+ labels on its grid. */
export function prepareCase(
  id: string,
  image: Volume,
  labels: Volume<Uint8Array> | undefined,
  options: PrepareOptions = {},
): PreparedCase {
  const [depth, height, width] = image.shape;
  const sink = prepareSlices(id, image, options, (voxels) => arrayLike(image.data, voxels));
  const plane = height * width;
  for (let k = 0; k < depth; k += 8) sink.take(image.data.subarray(k * plane, (k + 8) * plane), k);
  const prepared = sink.end();
  return labels === undefined ? prepared : withLabels(prepared, labels);
}

/**
 * Takes a scan slice by slice. One that keeps its voxels is windowed and turned on the way; one that is resampled is first
 * put together in RAS+ order, in an array from `allocate`.
 */
function prepareSlices(
  id: string,
  original: Grid,
  options: PrepareOptions,
  allocate: (voxels: number) => VoxelArray,
  spare?: Float32Array,
): SlabSink<PreparedCase> {
  const source = canonicalGrid(original);
  const { shape: filled, affine } = preparedGrid(original, options);
  const window = options.window ?? paperWindow;
  const multiple = options.multipleOf ?? 1;
  const up = (n: number) => Math.ceil(n / multiple) * multiple;
  const shape: Shape3 = [up(filled[0]), up(filled[1]), up(filled[2])];
  const { shape: stored, affine: place } = original;
  const done = (image: Float32Array): PreparedCase => ({
    ...{ id, image, shape, affine, filled },
    original: { shape: stored, affine: place },
  });

  const room = (): Float32Array =>
    spare?.length === voxelCount(shape) ? spare.fill(0) : new Float32Array(voxelCount(shape));

  if (filled.every((n, axis) => n === source.shape[axis])) {
    const image = room();
    const put = canonicalPlacer(original, image, shape);
    let scratch = new Float32Array(0);
    return {
      take(voxels, first) {
        if (scratch.length < voxels.length) scratch = new Float32Array(voxels.length);
        const slices = scratch.subarray(0, voxels.length);
        slices.set(voxels);
        put(applyWindow(slices, window, slices), first);
      },
      end: () => done(image),
    };
  }
  const whole = allocate(voxelCount(source.shape));
  const put = canonicalPlacer(original, whole, source.shape);
  return {
    take: put,
    end() {
      const image = room();
      resamplePlanes({ data: whole, shape: source.shape }, filled, (plane, k) => {
        applyWindow(plane, window, plane);
        for (let j = 0; j < filled[1]; j++) {
          const row = plane.subarray(j * filled[2], (j + 1) * filled[2]);
          image.set(row, (k * shape[1] + j) * shape[2]);
        }
      });
      return done(image);
    },
  };
}

function withLabels(prepared: PreparedCase, labels: Volume<Uint8Array>): PreparedCase {
  const { filled, shape } = prepared;
  return { ...prepared, labels: recut(resampleLabels(labels, { shape: filled }).data, filled, shape) };
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
export function preparedGrid(original: Grid, { spacing, size }: PrepareOptions): Grid {
  const grid = canonicalGrid(original);
  if (spacing !== undefined && size !== undefined) {
    const found = `spacing ${spacing} and size ${size}`;
    throw new ImagingError({ field: 'preprocessing', expected: 'spacing or size', found });
  }
  if (spacing !== undefined) return resampledGrid(grid, { spacing });
  if (size === undefined) return grid;
  return resampledGrid(grid, { shape: typeof size === 'number' ? [size, size, size] : size });
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
