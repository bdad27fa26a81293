import { type Range, range } from './box.ts';
import { fail } from './errors.ts';

/**
 * One axis of a sliding window: convolution, pooling and their transposes. Output o reads the inputs
 * o * stride - padLow + dilation * k for k in 0..kernel-1. All read rules of windows come from this file.
 */
export interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Zeros before the first input. */
  readonly padLow: number;
  /** Zeros after the last input. */
  readonly padHigh: number;
}

/** Extent of the kernel with its gaps: dilation * (kernel - 1) + 1. */
export function reach(w: Window): number {
  return w.dilation * (w.kernel - 1) + 1;
}

/** Output size for an input size, or an error naming the axis. */
export function windowOutput(w: Window, input: number, where: string, axis: string): number {
  for (const key of ['kernel', 'stride', 'dilation'] as const)
    if (!Number.isSafeInteger(w[key]) || w[key] < 1)
      fail({
        where,
        problem: `${key} along "${axis}"`,
        expected: 'a whole number of at least 1',
        found: String(w[key]),
      });
  for (const key of ['padLow', 'padHigh'] as const)
    if (!Number.isSafeInteger(w[key]) || w[key] < 0)
      fail({
        where,
        problem: `${key} along "${axis}"`,
        expected: 'a whole number of at least 0',
        found: String(w[key]),
      });
  const free = input + w.padLow + w.padHigh - reach(w);
  if (free < 0)
    fail({
      where,
      problem: `the window does not fit along "${axis}"`,
      expected: `at least ${reach(w)} voxels with padding`,
      found: `${input} + ${w.padLow} + ${w.padHigh}`,
      hint: 'Use a smaller kernel, more padding or fewer levels',
    });
  return Math.floor(free / w.stride) + 1;
}

/** Inputs that the outputs [a, b) read, clipped to the tensor: [a*s - p, (b-1)*s - p + d*(k-1) + 1). */
export function windowReads(w: Window, outputs: Range, input: number): Range {
  if (outputs.end <= outputs.start) return range(0, 0);
  const start = outputs.start * w.stride - w.padLow;
  const end = (outputs.end - 1) * w.stride - w.padLow + reach(w);
  return clip(start, end, input);
}

/** Outputs whose windows touch the inputs [a, b), clipped: the inverse of {@link windowReads}. */
export function windowReadBy(w: Window, inputs: Range, output: number): Range {
  if (inputs.end <= inputs.start) return range(0, 0);
  // o*s - p + reach - 1 >= a  and  o*s - p <= b - 1
  const start = Math.ceil((inputs.start + w.padLow - reach(w) + 1) / w.stride);
  const end = Math.floor((inputs.end - 1 + w.padLow) / w.stride) + 1;
  return clip(start, end, output);
}

/** Outputs along each axis of a plane that kernels of 1x3x3 may compute together: groups begin at multiples of it. */
const GROUP = 4;

/**
 * Inputs that the outputs [a, b) of three successive taps, the first of output 0 at `first`, take where groups of outputs are computed
 * together (native/winograd/plane.h), clipped. All of a group read its six inputs, but the first of these is for the first output
 * alone, and the last for the last: each output reads five. More than {@link windowReads} where a group is cut, and else the same.
 */
export function groupReads(first: number, outputs: Range, input: number): Range {
  if (outputs.end <= outputs.start) return range(0, 0);
  const start = Math.floor(outputs.start / GROUP) * GROUP;
  const end = Math.ceil(outputs.end / GROUP) * GROUP;
  const low = start + first + (outputs.start > start ? 1 : 0);
  return clip(low, end + first + 2 - (outputs.end < end ? 1 : 0), input);
}

function clip(start: number, end: number, size: number): Range {
  const low = Math.min(Math.max(start, 0), size);
  return range(low, Math.min(Math.max(end, low), size));
}

/** Cuts of a strided output follow its input's: a block that starts at a gives one that starts at ceil(a / s). */
export function cutsDown(w: Window, cuts: readonly number[], output: number): number[] {
  return follow(cuts, output, (a) => Math.ceil(a / w.stride));
}

/** Cuts of a transposed window's output: a block that starts at a gives one that starts at a * s. */
export function cutsUp(w: Window, cuts: readonly number[], output: number): number[] {
  return follow(cuts, output, (a) => a * w.stride);
}

/** Maps inner cuts, keeps them rising and ends at the new size. */
export function follow(cuts: readonly number[], size: number, map: (cut: number) => number): number[] {
  let last = 0;
  return cuts.map((cut, i) => {
    if (i === 0) return 0;
    if (i === cuts.length - 1) return size;
    last = Math.min(Math.max(map(cut), last), size);
    return last;
  });
}
