import { HalomeshError } from '../../core/index.ts';
import type { Plan } from '../plan.ts';
import type { Costs } from './costs.ts';
import type { TimeOptions } from './predict-time.ts';
import {
  type Census,
  type Parts,
  Representatives,
  type RepresentOptions,
  rankCount,
  type Sizes,
  SPLIT_DIMS,
  type SplitDim,
} from './representatives.ts';

// Which split of a number of ranks takes least time.

/** A split and what is told of it. */
export interface Forecasted {
  readonly parts: Parts;
  /** Largest block of a rank. */
  readonly block: Sizes;
  readonly census: Census;
  readonly seconds: number;
  /** Of the slowest rank, seconds that it waits in exchanges and in all-reduces. */
  readonly exchangeSeconds: number;
  readonly allReduceSeconds: number;
  /** The plan, where it is one of all ranks, each a process of its own. */
  readonly plan?: Plan;
}

export interface Unsuited {
  readonly ranks: number;
  readonly reason: string;
}

export interface SplitSearch extends RepresentOptions {
  /** What work takes on the machines that are meant. */
  readonly costs: Costs;
  readonly time?: TimeOptions;
  /** Voxels along an axis that become one at the coarsest resolution of the network. */
  readonly stride: number;
  /** Splits of each number of ranks that are planned, those with the least volume of blocks and margins. */
  readonly tries?: number;
}

/** Splits that are planned by default, and voxels of a margin that they are chosen by. */
const TRIES = 4;
const MARGIN = 3;

export class SplitFinder {
  private readonly search: SplitSearch;
  private readonly representatives: Representatives;

  constructor(search: SplitSearch) {
    this.search = search;
    this.representatives = new Representatives(search);
  }

  /** Splits of `ranks` ranks whose blocks are no thinner than the network's stride, the most promising first. */
  candidates(sizes: Sizes, ranks: number): Parts[] {
    const most = (dim: SplitDim): number =>
      dim === 'batch' ? sizes.batch : Math.max(1, Math.floor(sizes[dim] / this.search.stride));
    const found: Parts[] = [];
    const choose = (
      rest: number,
      dims: readonly SplitDim[],
      parts: Partial<Record<SplitDim, number>>,
    ): void => {
      const [dim, ...others] = dims;
      if (dim === undefined) {
        if (rest === 1) found.push(parts as Parts);
        return;
      }
      for (let n = Math.min(rest, most(dim)); n >= 1; n--)
        if (rest % n === 0) choose(rest / n, others, { ...parts, [dim]: n });
    };
    choose(ranks, SPLIT_DIMS, {});
    const size = (parts: Parts): number =>
      SPLIT_DIMS.reduce(
        (n, dim) => n * (blockOf(sizes, parts)[dim] + (dim !== 'batch' && parts[dim] > 1 ? 2 * MARGIN : 0)),
        1,
      );
    // The sort is stable: of equals the one that cuts the outer dimensions goes first.
    return found.sort((a, b) => size(a) - size(b));
  }

  /** What is told of one split. */
  forecast(sizes: Sizes, parts: Parts): Forecasted {
    const { costs, time } = this.search;
    const split = this.representatives.split(sizes, parts);
    const { seconds, ranks } = split.time(costs, time);
    const last = ranks.reduce((a, b) => (b.seconds > a.seconds ? b : a));
    return {
      parts,
      block: blockOf(sizes, parts),
      census: split.census,
      seconds,
      exchangeSeconds: last.exchanges,
      allReduceSeconds: last.allReduces,
      plan: split.plan.program.mesh.size === rankCount(parts) ? split.plan : undefined,
    };
  }

  /** As {@link forecast}, or why the split does not fit the memory limit. */
  attempt(sizes: Sizes, parts: Parts): Forecasted | Unsuited {
    try {
      return this.forecast(sizes, parts);
    } catch (error) {
      if (!(error instanceof HalomeshError) || error.complaint.where !== 'memory limit') throw error;
      const { expected, found } = error.complaint;
      return { ranks: rankCount(parts), reason: `does not fit: expected ${expected}, found ${found}` };
    }
  }

  /** The same without a memory limit. */
  get unlimited(): SplitFinder {
    return new SplitFinder({ ...this.search, memoryLimit: undefined });
  }

  /** The split of least time, with all that were planned, fastest first; or why there is none. */
  best(
    sizes: Sizes,
    ranks: number,
  ): { readonly best: Forecasted; readonly all: readonly Forecasted[] } | Unsuited {
    const candidates = this.candidates(sizes, ranks);
    const { stride, tries = TRIES } = this.search;
    if (candidates.length === 0)
      return {
        ranks,
        reason: `no split of ${ranks} has blocks of at least ${stride} voxels along each axis`,
      };
    const found = candidates.slice(0, tries).map((parts) => this.attempt(sizes, parts));
    // What does not fit is no choice; the last complaint says by how much.
    const all = found.flatMap((one) => (isUnsuited(one) ? [] : [one])).sort((a, b) => a.seconds - b.seconds);
    return all.length === 0 ? (found.at(-1) as Unsuited) : { best: all[0], all };
  }
}

export function blockOf(sizes: Sizes, parts: Parts): Sizes {
  return Object.fromEntries(SPLIT_DIMS.map((dim) => [dim, Math.ceil(sizes[dim] / parts[dim])])) as Sizes;
}

/** `depth=2,height=2`, or `none`. */
export function showParts(parts: Parts): string {
  const cut = SPLIT_DIMS.filter((dim) => parts[dim] > 1);
  return cut.length === 0 ? 'none' : cut.map((dim) => `${dim}=${parts[dim]}`).join(',');
}

/** One number of ranks of a scaling. */
export interface ScalePoint extends Forecasted {
  readonly ranks: number;
  /** Ranks of the split: fewer where all would take longer, since they wait for each other. */
  readonly used: number;
  /** Seconds of the best split over all of them. */
  readonly secondsOfAll: number;
  /** Part of the ranks' time that is worth as much as one rank's: t(1) / (ranks t) strong, t(1) / t weak. */
  readonly efficiency: number;
}

export interface Scaling {
  /** The same volume over more and more ranks. */
  readonly strong: readonly ScalePoint[];
  /** A volume that grows with the ranks: each has a block of the same size. */
  readonly weak: readonly ScalePoint[];
  readonly leftOut: readonly Unsuited[];
}

/**
 * Predicts the best split for each number of ranks. `weakBlock`: voxels along each axis that a rank has in the weak scaling. Each
 * prediction takes up to seconds; `onPoint` is called, and waited for, after each: first those of the strong scaling.
 */
export async function predictScaling(
  finder: SplitFinder,
  sizes: Sizes,
  ranks: readonly number[],
  weakBlock: number,
  onPoint: (ranks: number) => void | Promise<void> = () => undefined,
): Promise<Scaling> {
  const leftOut: Unsuited[] = [];
  const strong: ScalePoint[] = [];
  // What efficiency is measured by: one rank with all the memory that it asks for.
  const { unlimited } = finder;
  const one = unlimited.forecast(sizes, { batch: 1, depth: 1, height: 1, width: 1 }).seconds;
  for (const n of ranks) {
    const found = finder.best(sizes, n);
    if (isUnsuited(found)) leftOut.push(found);
    else {
      const all = { ...found.best, used: n };
      // The fastest of those that so many ranks can leave some of themselves out for.
      const best = strong
        .filter(({ used }) => used < n)
        .reduce<typeof all>((a, b) => (b.seconds < a.seconds ? b : a), all);
      const efficiency = one / (n * best.seconds);
      strong.push({ ...best, ranks: n, secondsOfAll: all.seconds, efficiency });
    }
    await onPoint(n);
  }
  const single = cube(weakBlock, 1);
  const alone = unlimited.forecast(single.sizes, single.parts).seconds;
  const weak: ScalePoint[] = [];
  for (const n of ranks) {
    const { sizes: grown, parts } = cube(weakBlock, n);
    const found = finder.attempt(grown, parts);
    if (isUnsuited(found))
      leftOut.push({ ranks: n, reason: `${weakBlock}^3 voxels a rank: ${found.reason}` });
    else
      weak.push({
        ...found,
        ranks: n,
        used: n,
        secondsOfAll: found.seconds,
        efficiency: alone / found.seconds,
      });
    await onPoint(n);
  }
  return { strong, weak, leftOut };
}

/** A volume of `ranks` cubic blocks, as near to a cube as the prime factors allow, longest along the outer axes. */
function cube(block: number, ranks: number): { sizes: Sizes; parts: Parts } {
  const sides = [1, 1, 1];
  for (const factor of primeFactors(ranks).reverse()) {
    const least = sides.indexOf(Math.min(...sides));
    sides[least] *= factor;
  }
  const [depth, height, width] = sides.sort((a, b) => b - a);
  const parts = { batch: 1, depth, height, width };
  return { sizes: { batch: 1, depth: block * depth, height: block * height, width: block * width }, parts };
}

function primeFactors(n: number): number[] {
  const factors: number[] = [];
  for (let factor = 2; factor * factor <= n; factor++)
    while (n % factor === 0) {
      factors.push(factor);
      n /= factor;
    }
  return n > 1 ? [...factors, n] : factors;
}

/** The split as a mesh and a layout have it: parts of the dimensions that are cut. */
export function cutParts(parts: Parts): Readonly<Record<string, number>> {
  return Object.fromEntries(SPLIT_DIMS.filter((dim) => parts[dim] > 1).map((dim) => [dim, parts[dim]]));
}

export const isUnsuited = (found: object): found is Unsuited => 'reason' in found;
