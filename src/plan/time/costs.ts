import { BYTES, boxVolume, type Op } from '../../core/index.ts';
import type { Kernel } from '../fusion/kernel.ts';
import type { LocalNode, LocalValue } from '../program.ts';

// What work is expected to take on a device: by this plans choose, and times are told. It never changes what comes out.

/** What a kernel does on one rank, or on several together. */
export interface KernelWork {
  /** Floating-point operations, of a convolution those of the plain sum over all taps. */
  readonly flops: number;
  /** Bytes of the stored tensors that it reads and writes. */
  readonly bytes: number;
  /** Weights of a convolution: they are transformed whatever the size of the block. 0 for other kernels. */
  readonly weights: number;
}

/** How a rank shares its machine: what shares one memory, such as a computer with its cores. */
export interface Sharing {
  /** Threads of each rank. */
  readonly threads: number;
  /** Ranks that run on one machine at a time. */
  readonly ranksPerMachine: number;
}

/** What moves bytes from one rank to another. */
export interface Link {
  readonly bytesPerSecond: number;
  /** Seconds of a collective that hardly carries anything, from the call to its result on both ranks. */
  readonly latencySeconds: number;
  /** Seconds that each further message of the same collective adds. */
  readonly messageSeconds: number;
}

/** A torus as a machine file tells it. */
export interface Torus {
  readonly axes: number;
  /** Chips along an axis whose ends are joined, and any multiple of them; other axes are open. */
  readonly ring: number;
  /** Seconds that each further chip of its way adds to a message. */
  readonly hopSeconds: number;
}

/** What ranks send by: all of a machine among themselves as well, where they have nothing faster. */
export interface Links extends Link {
  /** Between ranks of one machine. */
  readonly inside?: Link;
  /** How machines of one rank are joined: the link is one of a chip to a neighbour then. Without it every two of them have a link. */
  readonly torus?: Torus;
}

export interface Costs {
  /** Seconds of a kernel's work; of ranks that take turns, of the work of all. Without `sharing` of a rank that has the machine to itself. */
  kernel(kernel: Kernel, work: KernelWork, sharing?: Sharing): number;
  readonly link: Links;
}

/** What a kernel does on a rank, by the boxes that the rank owns. */
export function kernelWork(kernel: Kernel, rank: number): KernelWork {
  const size = (value: LocalValue): number => boxVolume(value.own[rank]) * BYTES[value.dtype];
  return {
    flops: kernelFlops(kernel, rank),
    bytes: [...kernel.reads, ...kernel.writes].reduce((sum, value) => sum + size(value), 0),
    weights: kernelWeights(kernel, rank),
  };
}

/** Floating-point operations of a kernel on a rank. */
export const kernelFlops = ({ nodes }: Kernel, rank: number): number =>
  nodes.reduce((sum, { op, call, loops }) => sum + op.cost(call, loops[rank]).flops, 0);

/** Weights of a kernel on a rank: see {@link KernelWork}. */
export function kernelWeights({ anchor }: Pick<Kernel, 'anchor'>, rank: number): number {
  const weight = weightOf(anchor);
  return weight === undefined ? 0 : boxVolume(weight.own[rank]);
}

/** The weight of a kernel that contracts with one, or makes the gradient of one. */
export function weightOf(anchor: LocalNode | undefined): LocalValue | undefined {
  if (anchor === undefined || anchor.op.weight === 'none') return undefined;
  const { weight } = anchor.op;
  return 'input' in weight ? anchor.inputs[weight.input] : anchor.outputs[weight.output];
}

/** Whether an operation makes the gradient of a weight. */
export const makesWeight = ({ weight }: Pick<Op, 'weight'>): boolean =>
  weight !== 'none' && 'output' in weight;
