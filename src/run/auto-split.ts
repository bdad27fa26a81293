import type { Graph } from '../core/index.ts';
import { fail } from '../core/index.ts';
import type { Processes } from '../machine/index.ts';
import {
  bytes,
  type Costs,
  cutParts,
  isUnsuited,
  type Sizes,
  SplitFinder,
  showParts,
  type Target,
} from '../plan/index.ts';
import { together } from './agree.ts';

/** What a split is chosen for. */
export interface AutoSplitOptions {
  /** The graph for volumes of some size, and the size that is meant. */
  readonly graph: (sizes: Sizes) => Graph;
  readonly sizes: Sizes;
  /** Voxels along an axis that become one at the coarsest resolution of the network. */
  readonly stride: number;
  readonly target: Target;
  /** What times are told from; the first process alone asks. */
  readonly costs: () => Costs;
  /** Ranks that share the work: one for each of the processes, where there are several. */
  readonly ranks: number;
  readonly processes?: Processes;
  readonly threads?: number;
  readonly memoryLimit?: number;
  /** Bytes of images that a process holds beside its tensors. */
  readonly hostBytes?: number;
}

export interface AutoSplit {
  /** Parts by dimension; none where there is one rank. */
  readonly parts: Readonly<Record<string, number>>;
  /** What was chosen and why, in one line. */
  readonly text: string;
}

/** Splits that are looked at. */
const TRIES = 6;

/**
 * The split of least predicted time among those that fit the memory limit. All processes call it and get the choice of the
 * first. One rank is not split here: where a limit asks for it, its volume is cut into parts that take turns.
 */
export async function autoSplit(options: AutoSplitOptions): Promise<AutoSplit> {
  const { processes, ranks } = options;
  if (ranks === 1)
    return {
      parts: {},
      text: 'none: one process, which cuts depth into parts only where a memory limit asks for it',
    };
  if (processes === undefined) return choose(options, 1);
  const hosts = await processes.share('names of machines', processes.machine);
  const most = Math.max(...hosts.map((name) => hosts.filter((other) => other === name).length));
  const first = processes.host === 0;
  const own = await together(processes, 'choice of a split', () =>
    first ? choose(options, most) : undefined,
  );
  const [text] = await processes.share('split', JSON.stringify(own ?? null));
  return JSON.parse(text) as AutoSplit;
}

function choose(options: AutoSplitOptions, ranksPerMachine: number): AutoSplit {
  const { sizes, ranks, threads = 1, hostBytes = 0 } = options;
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
  };
}
