import { multiplyAffine } from '../volume/affine.ts';
import { ImagingError } from '../volume/errors.ts';
import { checkShape, type Grid, type Shape3, spacingOf, voxelCount } from '../volume/volume.ts';

/**
 * What each output sample of one axis reads: input samples first[o] to first[o] + count[o] - 1 with weights
 * weights[o * most ...], which sum to 1.
 */
export interface AxisTaps {
  readonly inSize: number;
  readonly outSize: number;
  /** The largest count. */
  readonly most: number;
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Float32Array;
}

/** The size that is asked for: a shape in voxels, or a spacing in mm (one number, or depth, height, width). */
export type ResampleTarget = { readonly shape: Shape3 } | { readonly spacing: number | Shape3 };

/**
 * Linear interpolation, widened into an antialiasing filter where the axis shrinks. With r = inSize / outSize,
 * output sample o has its centre at c = (o + 0.5) * r - 0.5 in input samples (the field of view, edge to edge,
 * is the same), and input sample x has the weight max(0, 1 - |x - c| / max(1, r)), normalised over the samples
 * that exist. This is the triangle filter of Pillow and of PyTorch's `interpolate(antialias=True)`.
 */
export function axisTaps(inSize: number, outSize: number): AxisTaps {
  const ratio = inSize / outSize;
  const half = Math.max(1, ratio);
  const most = Math.min(inSize, Math.ceil(2 * half) + 1);
  const first = new Int32Array(outSize);
  const count = new Int32Array(outSize);
  const weights = new Float32Array(outSize * most);
  for (let o = 0; o < outSize; o++) {
    const centre = (o + 0.5) * ratio - 0.5;
    const low = Math.max(0, Math.floor(centre - half) + 1);
    const high = Math.min(inSize - 1, Math.ceil(centre + half) - 1);
    first[o] = low;
    count[o] = high - low + 1;
    let sum = 0;
    for (let x = low; x <= high; x++) sum += 1 - Math.abs(x - centre) / half;
    for (let x = low; x <= high; x++) weights[o * most + x - low] = (1 - Math.abs(x - centre) / half) / sum;
  }
  return { inSize, outSize, most, first, count, weights };
}

/** The input samples that the output samples start to end (exclusive) read. */
export function tapsReach({ first, count }: AxisTaps, start: number, end: number): readonly [number, number] {
  return [first[start], first[end - 1] + count[end - 1]];
}

/** The taps of the output samples start to end (exclusive) alone, reading an array that begins with the input sample `from`. */
export function sliceTaps(
  taps: AxisTaps,
  start: number,
  end: number,
  [from, to]: readonly [number, number],
): AxisTaps {
  return {
    inSize: to - from,
    outSize: end - start,
    most: taps.most,
    first: taps.first.slice(start, end).map((at) => at - from),
    count: taps.count.slice(start, end),
    weights: taps.weights.slice(start * taps.most, end * taps.most),
  };
}

/**
 * The grid of a volume after resampling. A spacing gives round(extent / spacing) voxels along each axis, at
 * least 1; the field of view stays edge to edge, so the true spacing, which the affine states, may differ
 * from the one asked for by up to half a voxel over the whole axis.
 */
export function resampledGrid(grid: Grid, target: ResampleTarget): Grid {
  const shape = 'shape' in target ? target.shape : shapeForSpacing(grid, target.spacing);
  if ('spacing' in target && voxelCount(shape) > 2 ** 31)
    throw new ImagingError({
      field: 'spacing',
      expected: `one at which ${grid.shape.join(' x ')} voxels become at most 2^31`,
      found: `${[target.spacing].flat().join(' x ')} mm, at which they become ${shape.join(' x ')}`,
      hint: 'Choose a larger spacing',
    });
  checkShape(shape);
  const [rk, rj, ri] = shape.map((n, axis) => grid.shape[axis] / n);
  const offset = (ratio: number) => 0.5 * ratio - 0.5;
  const oldFromNew = [ri, 0, 0, offset(ri), 0, rj, 0, offset(rj), 0, 0, rk, offset(rk), 0, 0, 0, 1];
  return { shape, affine: multiplyAffine(grid.affine, oldFromNew) };
}

function shapeForSpacing(grid: Grid, wanted: number | Shape3): Shape3 {
  const spacing = typeof wanted === 'number' ? ([wanted, wanted, wanted] as const) : wanted;
  if (!spacing.every((mm) => mm > 0 && Number.isFinite(mm))) {
    const found = `[${spacing.join(', ')}]`;
    throw new ImagingError({ field: 'spacing', expected: 'positive numbers of mm', found });
  }
  const now = spacingOf(grid);
  const along = (axis: 0 | 1 | 2) => Math.max(1, Math.round((grid.shape[axis] * now[axis]) / spacing[axis]));
  return [along(0), along(1), along(2)];
}

/** Resamples planes of one size in place of the same buffers again and again. */
export class PlaneResampler {
  readonly #rows: AxisTaps;
  readonly #columns: AxisTaps;
  readonly #narrow: Float32Array;
  /** Whether a row of the input holds anything but zeros. */
  readonly #filled: Uint8Array;

  constructor(rows: AxisTaps, columns: AxisTaps) {
    this.#rows = rows;
    this.#columns = columns;
    this.#narrow = new Float32Array(rows.inSize * columns.outSize);
    this.#filled = new Uint8Array(rows.inSize);
  }

  /** From `plane` [rows in, columns in] into `out` [rows out, columns out]. Rows of zeros cost nothing. */
  resample(plane: Float32Array, out: Float32Array): void {
    for (let y = 0; y < this.#rows.inSize; y++) this.#narrowRow(plane, y);
    const width = this.#columns.outSize;
    const { first, count, weights, most, outSize } = this.#rows;
    out.fill(0);
    for (let o = 0; o < outSize; o++) {
      for (let t = 0; t < count[o]; t++) {
        const y = first[o] + t;
        if (this.#filled[y] === 1)
          addScaled(out, o * width, this.#narrow, y * width, width, weights[o * most + t]);
      }
    }
  }

  #narrowRow(plane: Float32Array, y: number): void {
    const { inSize, outSize, first, count, weights, most } = this.#columns;
    const from = y * inSize;
    this.#filled[y] = 0;
    for (let x = from; x < from + inSize; x++) {
      if (plane[x] !== 0) {
        this.#filled[y] = 1;
        break;
      }
    }
    if (this.#filled[y] === 0) return;
    for (let o = 0; o < outSize; o++) {
      let sum = 0;
      const start = from + first[o];
      for (let t = 0; t < count[o]; t++) sum += weights[o * most + t] * plane[start + t];
      this.#narrow[y * outSize + o] = sum;
    }
  }
}

/** out[to + n] += weight * from[at + n] for n below length. */
export function addScaled(
  out: Float32Array,
  to: number,
  from: Float32Array,
  at: number,
  length: number,
  weight: number,
): void {
  for (let n = 0; n < length; n++) out[to + n] += weight * from[at + n];
}
