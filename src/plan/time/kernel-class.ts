import { BYTES, boxVolume, type Op, type Shape } from '../../core/index.ts';
import type { Kernel } from '../fusion/kernel.ts';
import type { LocalNode, LocalValue } from '../program.ts';

// What the time of a kernel is told from: its kind, its operations and its bytes.

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

/** What a kernel does on one rank. */
export interface KernelWork {
  /** Floating-point operations, of a convolution those of the plain sum over all taps. */
  readonly flops: number;
  /** Bytes of the stored tensors that it reads and writes. */
  readonly bytes: number;
  /** Weights of a convolution: they are transformed whatever the size of the block. 0 for other kernels. */
  readonly weights: number;
}

export function kernelWork(kernel: Kernel, rank: number): KernelWork {
  const size = (value: LocalValue): number => boxVolume(value.own[rank]) * BYTES[value.dtype];
  const weight = weightOf(kernel.anchor);
  return {
    flops: kernel.nodes.reduce((sum, { op, call, loops }) => sum + op.cost(call, loops[rank]).flops, 0),
    bytes: [...kernel.reads, ...kernel.writes].reduce((sum, value) => sum + size(value), 0),
    weights: weight === undefined ? 0 : boxVolume(weight.own[rank]),
  };
}

/** The weight of a kernel that contracts with one, or makes the gradient of one. */
function weightOf(anchor: LocalNode | undefined): LocalValue | undefined {
  if (anchor === undefined || anchor.op.weight === 'none') return undefined;
  const { weight } = anchor.op;
  return 'input' in weight ? anchor.inputs[weight.input] : anchor.outputs[weight.output];
}

/** Whether an operation makes the gradient of a weight. */
export const makesWeight = ({ weight }: Pick<Op, 'weight'>): boolean =>
  weight !== 'none' && 'output' in weight;
