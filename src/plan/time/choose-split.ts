import { fail } from '../../core/index.ts';
import { bytes } from '../explain.ts';
import type { Plan } from '../plan.ts';
import type { Costs } from './costs.ts';
import type { RepresentOptions, Sizes } from './representatives.ts';
import { cutParts, isUnsuited, SplitFinder, showParts } from './scaling.ts';

/** What a split is chosen for. */
export interface SplitChoice extends Pick<RepresentOptions, 'graph' | 'target' | 'memoryLimit' | 'machines'> {
  readonly sizes: Sizes;
  /** Voxels along an axis that become one at the coarsest resolution of the network. */
  readonly stride: number;
  /** What times are told from. */
  readonly costs: () => Costs;
  /** Ranks that share the work, each a process of its own where there are several. */
  readonly ranks: number;
  readonly threads?: number;
  /** Bytes of images that a process holds beside its tensors. */
  readonly hostBytes?: number;
}

export interface ChosenSplit {
  /** Parts by dimension; none where there is one rank. */
  readonly parts: Readonly<Record<string, number>>;
  /** What was chosen and why, in one line. */
  readonly text: string;
  /** The plan that it was told from, where that is one of all its ranks. */
  readonly plan?: Plan;
}

/** Splits that are looked at. */
const TRIES = 6;

/**
 * The split of least predicted time among those that fit the memory limit. One rank is not split here: where a limit asks for it,
 * its volume is cut into parts that take turns.
 */
export function chooseSplit(options: SplitChoice, ranksPerMachine = 1): ChosenSplit {
  const { sizes, ranks, threads = 1, hostBytes = 0 } = options;
  if (ranks === 1)
    return {
      parts: {},
      text: 'none: one process, which cuts depth into parts only where a memory limit asks for it',
    };
  const finder = new SplitFinder({
    ...options,
    costs: options.costs(),
    hostBytes: () => hostBytes,
    tries: TRIES,
    time: { threads, ranksPerMachine, overlap: options.target.overlap },
  });
  const found = finder.best(sizes, ranks);
  if (isUnsuited(found))
    return fail({
      where: '--split auto',
      problem: found.reason,
      hint: 'Start fewer processes, raise --memory-limit, or give a --split',
    });
  const [best, next] = found.all;
  const second =
    next === undefined ? '' : `; next ${showParts(next.parts)} with ${next.seconds.toPrecision(3)} s`;
  return {
    parts: cutParts(best.parts),
    text:
      `${showParts(best.parts)}: ${best.seconds.toPrecision(3)} s a step predicted, ${bytes(best.census.peakBytes)} a process` +
      `, the least of ${found.all.length} that fit${second}`,
    plan: best.plan,
  };
}
