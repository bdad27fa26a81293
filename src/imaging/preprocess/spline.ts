import type { Shape3 } from '../volume/volume.ts';

// Resampling by interpolation without a filter against aliasing, as nnU-Net does it: the field of view is kept edge to edge, and beyond
// the edges a volume goes on as it is there.

/** Degree of the splines: 0 takes the nearest voxel, 1 is linear, 3 is the interpolating cubic spline. */
export type SplineOrder = 0 | 1 | 3;

/** How volumes are resampled. */
export interface SplineResampling {
  readonly order: SplineOrder;
  /** Along an axis that is resampled by itself. */
  readonly orderAcross: SplineOrder;
  /** Whether the axis of the thickest slices is resampled by itself, after the others; by default where voxels are far from cubes. */
  readonly separate?: boolean;
}

/** The longest side of a voxel beside its shortest, above which the slices are resampled one by one. */
const THICK = 3;

/**
 * A volume at another shape, voxels of `from` mm becoming voxels of `to` mm. What cubic splines add beyond the least and the highest value
 * of the volume (of a slice, where slices are resampled one by one) is cut off.
 */
export function resampleSpline(
  data: Float32Array,
  shape: Shape3,
  wanted: Shape3,
  { from, to }: { readonly from: Shape3; readonly to: Shape3 },
  { order, orderAcross, separate }: SplineResampling,
): Float32Array {
  if (shape.every((n, axis) => n === wanted[axis])) return data;
  const across = axisAcross(from, to, separate);
  let [out, at] = [data, shape];
  const along = (axis: number, degree: SplineOrder): void => {
    if (at[axis] === wanted[axis]) return;
    out = resampleAxis(out, at, axis, wanted[axis], degree);
    at = at.map((n, other) => (other === axis ? wanted[axis] : n)) as unknown as Shape3;
  };
  // What shrinks most comes first: less is left for the others.
  const axes = [0, 1, 2].filter((axis) => axis !== across);
  for (const axis of axes.sort((a, b) => wanted[a] / shape[a] - wanted[b] / shape[b])) along(axis, order);
  if (order === 3 && out !== data) clipTo(out, at, data, shape, across);
  if (across !== undefined) along(across, orderAcross);
  return out;
}

/** The axis that is resampled by itself, if one is: that of the thickest voxels, before or after, where it is one alone. */
export function axisAcross(from: Shape3, to: Shape3, separate?: boolean): number | undefined {
  const isThick = (spacing: Shape3) => Math.max(...spacing) / Math.min(...spacing) > THICK;
  const thick =
    separate === true ? from : separate === false ? undefined : [from, to].find((voxel) => isThick(voxel));
  if (thick === undefined) return undefined;
  const axes = [0, 1, 2].filter((axis) => Math.max(...thick) / thick[axis] === 1);
  return axes.length === 1 ? axes[0] : undefined;
}

/** Numbers of a line on either side that stand for all beyond: what is left of a cubic spline's reach is below 2e-7. */
const BEYOND = 12;
/** Columns that are filtered together. */
const COLUMNS = 256;

/** One axis of a volume at another size. Output o reads at (o + 1/2) * size / wanted - 1/2. */
function resampleAxis(
  data: Float32Array,
  shape: Shape3,
  axis: number,
  wanted: number,
  order: SplineOrder,
): Float32Array {
  const size = shape[axis];
  const outer = shape.slice(0, axis).reduce((product, n) => product * n, 1);
  const inner = shape.slice(axis + 1).reduce((product, n) => product * n, 1);
  const out = new Float32Array(outer * wanted * inner);
  const { first, weights, taps } = splineTaps(size, wanted, order);
  const most = Math.min(COLUMNS, inner);
  const line = new Float64Array((size + 2 * BEYOND) * most);
  const sums = new Float64Array(most);
  for (let block = 0; block < outer; block++)
    for (let column = 0; column < inner; column += most) {
      const width = Math.min(most, inner - column);
      for (let k = 0; k < size + 2 * BEYOND; k++) {
        const from = (block * size + Math.min(Math.max(k - BEYOND, 0), size - 1)) * inner + column;
        for (let i = 0; i < width; i++) line[k * most + i] = data[from + i];
      }
      if (order === 3) toCoefficients(line, size + 2 * BEYOND, most, width);
      for (let o = 0; o < wanted; o++) {
        sums.fill(0);
        for (let t = 0; t < taps; t++) {
          const weight = weights[o * taps + t];
          const from = (first[o] + t + BEYOND) * most;
          for (let i = 0; i < width; i++) sums[i] += weight * line[from + i];
        }
        const to = (block * wanted + o) * inner + column;
        for (let i = 0; i < width; i++) out[to + i] = sums[i];
      }
    }
  return out;
}

/** What each output reads: `taps` numbers from `first` on, which may lie beyond the ends, by weights. */
function splineTaps(size: number, wanted: number, order: SplineOrder) {
  const taps = order + 1;
  const first = new Int32Array(wanted);
  const weights = new Float64Array(wanted * taps);
  for (let o = 0; o < wanted; o++) {
    const centre = (o + 0.5) * (size / wanted) - 0.5;
    if (order === 0) {
      first[o] = Math.min(Math.max(Math.floor(centre + 0.5), 0), size - 1);
      weights[o] = 1;
      continue;
    }
    const below = Math.floor(centre);
    const t = centre - below;
    first[o] = order === 1 ? below : below - 1;
    weights.set(order === 1 ? [1 - t, t] : cubicWeights(t), o * taps);
  }
  return { first, weights, taps };
}

/** The cubic B-spline at -1 - t, -t, 1 - t, 2 - t. */
function cubicWeights(t: number): readonly number[] {
  const u = 1 - t;
  return [(u * u * u) / 6, (t * t * (3 * t - 6) + 4) / 6, (u * u * (3 * u - 6) + 4) / 6, (t * t * t) / 6];
}

/** The pole of the filter below. */
const POLE = Math.sqrt(3) - 2;

/**
 * Numbers of columns become the coefficients of the cubic B-splines that go through them (Unser, Aldroubi & Eden 1993): 6 / (z + 4 + 1/z)
 * as one recursion forth and one back. Both ends lie in a stretch without change.
 */
function toCoefficients(line: Float64Array, rows: number, stride: number, width: number): void {
  const last = (rows - 1) * stride;
  for (let i = 0; i < width; i++) {
    const end = line[last + i];
    line[i] *= 6 / (1 - POLE);
    for (let at = stride + i; at <= last + i; at += stride)
      line[at] = 6 * line[at] + POLE * line[at - stride];
    line[last + i] = end;
    for (let at = last - stride + i; at >= 0; at -= stride) line[at] = POLE * (line[at + stride] - line[at]);
  }
}

/**
 * Cuts `out`, of the shape `at`, off at the least and the highest value of `data`: of all, or slice by slice of the axis `across`, along
 * which both are alike.
 */
function clipTo(
  out: Float32Array,
  at: Shape3,
  data: Float32Array,
  shape: Shape3,
  across: number | undefined,
): void {
  const slices = across === undefined ? 1 : shape[across];
  const least = new Float32Array(slices).fill(Number.POSITIVE_INFINITY);
  const most = new Float32Array(slices).fill(Number.NEGATIVE_INFINITY);
  eachSlice(shape, across, (slice, from, to) => {
    for (let n = from; n < to; n++) {
      if (data[n] < least[slice]) least[slice] = data[n];
      if (data[n] > most[slice]) most[slice] = data[n];
    }
  });
  eachSlice(at, across, (slice, from, to) => {
    for (let n = from; n < to; n++) out[n] = Math.min(Math.max(out[n], least[slice]), most[slice]);
  });
}

/** The stretches of a volume's numbers, each with the slice of the axis `across` that it lies in; slice 0 is all where there is none. */
function eachSlice(
  shape: Shape3,
  across: number | undefined,
  take: (slice: number, from: number, to: number) => void,
): void {
  const slices = across === undefined ? 1 : shape[across];
  const run = shape.slice(across === undefined ? 0 : across + 1).reduce((product, n) => product * n, 1);
  const all = shape[0] * shape[1] * shape[2];
  for (let n = 0; n * run < all; n++) take(n % slices, n * run, (n + 1) * run);
}
