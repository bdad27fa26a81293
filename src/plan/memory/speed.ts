import type { Kernel } from '../fusion/kernel.ts';
import type { LocalValue } from '../program.ts';
import type { Buffer } from './buffers.ts';
import { touched } from './schedule.ts';

/** Speeds that choices of the memory plan are weighed with; they decide what is chosen, not whether it is right. */
export const SPEED = {
  /** Floating-point operations a second of a kernel. */
  flops: 2.5e11,
  /** Bytes a second through memory. */
  memory: 1e10,
  /** Bytes a second between ranks. */
  network: 1e9,
  /** Bytes a second to and from the store. */
  store: 1e9,
  /** Part of a move that kernels are expected not to hide. */
  unhidden: 0.5,
};

/** Seconds that a process whose ranks run in turn is expected to spend in a kernel. */
export function kernelSeconds(
  kernel: Kernel,
  ranks: readonly number[],
  bytesOf: (buffer: Buffer, rank: number) => number,
  buffers: ReadonlyMap<LocalValue, Buffer>,
): number {
  let flops = 0;
  let bytes = 0;
  for (const rank of ranks) {
    for (const { op, call, loops } of kernel.nodes) flops += op.cost(call, loops[rank]).flops;
    for (const buffer of touched(kernel, buffers)) bytes += bytesOf(buffer, rank);
  }
  return Math.max(flops / SPEED.flops, bytes / SPEED.memory);
}
