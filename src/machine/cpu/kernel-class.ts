import type { Shape } from '../../core/index.ts';
import { type Kernel, makesWeight, weightOf } from '../../plan/index.ts';

/**
 * Kinds of kernels whose speed differs:
 * - `conv`: convolutions and their input gradients, with at least 16 channels on both sides and more than 8 taps;
 * - `weightGradient`: the gradients of their weights;
 * - `smallConv`: convolutions and their gradients with fewer channels or taps: first layer, output, up-sampling;
 * - `pass`: all else, which goes through memory once and computes little.
 */
export const KERNEL_CLASSES = ['conv', 'weightGradient', 'smallConv', 'pass'] as const;
export type KernelClass = (typeof KERNEL_CLASSES)[number];

/** Channels from which on the fast convolution kernels are full, and taps above which they have something to gain. */
const FULL_CHANNELS = 16;
const FEW_TAPS = 8;

export function kernelClass({ anchor }: Pick<Kernel, 'anchor'>): KernelClass {
  const weight = weightOf(anchor);
  if (weight === undefined) return 'pass';
  if (isSmall(weight.shape)) return 'smallConv';
  return makesWeight(anchor!.op) ? 'weightGradient' : 'conv';
}

/** `weight`: [taps..., channels in, channels out]. */
function isSmall(weight: Shape): boolean {
  const sizes = weight.map((dim) => dim.size);
  const taps = sizes.slice(0, -2).reduce((a, b) => a * b, 1);
  return taps <= FEW_TAPS || Math.min(...sizes.slice(-2)) < FULL_CHANNELS;
}
