import { roundToEven, type Shape3, voxelCount } from '../../../imaging/index.ts';

// Windows that slide over a volume as those of nnU-Net do: where they stand, and what the voxels of one weigh where several overlap.

/** The first voxels of windows along one axis, `share` of a window apart at most and as far from each other as can be. */
export function windowStarts(size: number, window: number, share: number): readonly number[] {
  const steps = Math.ceil((size - window) / (window * share)) + 1;
  const apart = steps > 1 ? (size - window) / (steps - 1) : 0;
  return Array.from({ length: steps }, (_, n) => roundToEven(apart * n));
}

/** The first voxels of all windows of a volume, depth slowest. */
export function windowsOver(size: Shape3, window: Shape3, share: number): readonly Shape3[] {
  const [depths, heights, widths] = size.map((n, axis) => windowStarts(n, window[axis], share));
  return depths.flatMap((k) => heights.flatMap((j) => widths.map((i): Shape3 => [k, j, i])));
}

/** The highest weight of a voxel. */
const HIGHEST = 10;

/**
 * Weights of the voxels of a window: a Gaussian around its middle whose deviation is an eighth of the window, in the numbers of half
 * precision, where those that would be 0 have the least of the others.
 */
export function gaussianWeights(window: Shape3): Float32Array {
  const [depths, heights, widths] = window.map((size) =>
    Float64Array.from({ length: size }, (_, at) => {
      const distance = (at - Math.floor(size / 2)) / (size / 8);
      return Math.exp((-distance * distance) / 2);
    }),
  );
  const weights = new Float32Array(voxelCount(window));
  let at = 0;
  for (const k of depths)
    for (const j of heights) for (const i of widths) weights[at++] = toHalf(HIGHEST * k * j * i);
  let least = HIGHEST;
  for (const weight of weights) if (weight > 0 && weight < least) least = weight;
  for (let n = 0; n < weights.length; n++) if (weights[n] === 0) weights[n] = least;
  return weights;
}

/** The nearest number of half precision (IEEE 754 binary16) of one from 0 to 65504. */
function toHalf(value: number): number {
  // 10 bits behind the first one; below 2^-14 steps of 2^-24.
  const exponent = Math.max(Math.floor(Math.log2(value)), -14);
  const step = 2 ** (exponent - 10);
  return value === 0 ? 0 : roundToEven(value / step) * step;
}
