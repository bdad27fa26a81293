import type { Kernel } from '../fusion/kernel.ts';
import { type LocalNode, type LocalValue, nodeBytes } from '../program.ts';
import type { Target } from '../target.ts';
import { kernelFlops, kernelWeights } from '../time/costs.ts';
import type { Buffer } from './buffers.ts';
import { touched } from './schedule.ts';

/** Part of a move that kernels are expected not to hide. */
const UNHIDDEN = 0.5;

/** Seconds that the first tier is expected to keep kernels waiting for a move of some bytes. */
export const moveSeconds = ({ spaces }: Pick<Target, 'spaces'>, bytes: number): number =>
  (UNHIDDEN * bytes) / spaces.tiers[0].bytesPerSecond;

/** Seconds by which choices of a memory plan are weighed: of one process, whose ranks take turns. */
export class Weights {
  private readonly target: Pick<Target, 'costs' | 'spaces'>;
  private readonly ranks: readonly number[];
  private readonly bytesOf: (buffer: Buffer, rank: number) => number;
  private readonly buffers: ReadonlyMap<LocalValue, Buffer>;
  private readonly kernels = new Map<Kernel, number>();
  private readonly totals: number[] = [];

  constructor(
    target: Pick<Target, 'costs' | 'spaces'>,
    ranks: readonly number[],
    bytesOf: (buffer: Buffer, rank: number) => number,
    buffers: ReadonlyMap<LocalValue, Buffer>,
  ) {
    this.target = target;
    this.ranks = ranks;
    this.bytesOf = bytesOf;
    this.buffers = buffers;
  }

  kernel(kernel: Kernel): number {
    const known = this.kernels.get(kernel);
    if (known !== undefined) return known;
    const work = { flops: 0, bytes: 0, weights: 0 };
    for (const rank of this.ranks) {
      work.flops += kernelFlops(kernel, rank);
      work.weights += kernelWeights(kernel, rank);
      for (const buffer of touched(kernel, this.buffers)) work.bytes += this.bytesOf(buffer, rank);
    }
    const seconds = this.target.costs.kernel(kernel, work);
    this.kernels.set(kernel, seconds);
    return seconds;
  }

  collective(node: LocalNode): number {
    const { latencySeconds, bytesPerSecond } = this.target.costs.link;
    return latencySeconds + nodeBytes(node) / bytesPerSecond;
  }

  /** Of a buffer to or from the first tier. */
  move(buffer: Buffer): number {
    return moveSeconds(this.target, this.total(buffer));
  }

  /** Bytes of a buffer, all ranks together. */
  total(buffer: Buffer): number {
    this.totals[buffer.index] ??= this.ranks.reduce((sum, rank) => sum + this.bytesOf(buffer, rank), 0);
    return this.totals[buffer.index];
  }
}
