import { RandomStream } from '../../core/index.ts';
import { permutation } from '../config/held-out.ts';

/** Marks the random numbers of this file. */
const ORDER = 6;
const BALANCE = 7;

/** Which step looks at a case, and for which time. */
export interface Visit {
  readonly step: number;
  readonly caseIndex: number;
  /** Visits of the case before this one. */
  readonly visits: number;
}

/** Slices of a case that are drawn from. */
export interface CaseSlices {
  readonly depth: number;
  /** For each class above 0 that the case holds, the slices that hold it; only where draws are to be balanced. */
  readonly holders?: readonly (readonly number[])[];
}

/**
 * The slices of a step, one after the other: passes over all slices of the case, each in a new order, go on from visit to visit.
 * Where holders are given, every second slice instead holds a class above 0, each class as likely.
 */
export function drawSlices(
  seed: number,
  { step, caseIndex, visits }: Visit,
  { depth, holders = [] }: CaseSlices,
  count: number,
): number[] {
  const balanced = holders.length > 0;
  const permuted = balanced ? Math.ceil(count / 2) : count;
  return Array.from({ length: count }, (_, i) => {
    if (balanced && i % 2 === 1) {
      const random = new RandomStream(seed, BALANCE, step, i);
      const pick = <T>(list: readonly T[]): T => list[Math.floor(random.uniform() * list.length)];
      return pick(pick(holders));
    }
    const position = visits * permuted + (balanced ? i / 2 : i);
    const pass = Math.floor(position / depth);
    return permutation(depth, seed, ORDER, caseIndex, pass)[position % depth];
  });
}
