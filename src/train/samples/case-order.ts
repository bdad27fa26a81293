import { RandomStream } from '../../core/index.ts';
import { permutation } from '../config/held-out.ts';

/** Marks the random numbers of this file. */
const ORDER = 1;
const BALANCE = 4;

/** Voxels of each label value 0, 1, 2... in one case. */
export type ClassVoxels = readonly number[];

/**
 * The order in which cases are trained on: a new permutation of all for each epoch, the same for the same seed. Where the
 * voxels of their classes are given, every second position instead takes a class above 0, each as likely, and one of the cases
 * that hold it: so cases with rare classes come more often, and none is left out.
 */
export class CaseOrder {
  private readonly count: number;
  private readonly seed: number;
  /** For each class above 0 that any case holds, the cases that hold it. */
  private readonly holders: readonly (readonly number[])[];
  private epoch = -1;
  private order: readonly number[] = [];

  constructor(count: number, seed: number, voxels: readonly ClassVoxels[] = []) {
    this.count = count;
    this.seed = seed;
    const classes = Math.max(0, ...voxels.map((counts) => counts.length));
    this.holders = Array.from({ length: Math.max(0, classes - 1) }, (_, i) =>
      voxels.flatMap((counts, caseIndex) => (counts[i + 1] > 0 ? [caseIndex] : [])),
    ).filter((cases) => cases.length > 0);
  }

  /** The case at a position (0, 1, 2...) of the endless sequence. */
  at(position: number): number {
    if (this.holders.length === 0) return this.permuted(position);
    if (position % 2 === 0) return this.permuted(position / 2);
    const random = new RandomStream(this.seed, BALANCE, position);
    const pick = <T>(list: readonly T[]): T => list[Math.floor(random.uniform() * list.length)];
    return pick(pick(this.holders));
  }

  private permuted(position: number): number {
    const epoch = Math.floor(position / this.count);
    if (epoch !== this.epoch) {
      this.order = permutation(this.count, this.seed, ORDER, epoch);
      this.epoch = epoch;
    }
    return this.order[position % this.count];
  }

  /** As many positions before this one as whole passes over the cases would take. */
  epochOf(position: number): number {
    return Math.floor(position / this.count);
  }
}
