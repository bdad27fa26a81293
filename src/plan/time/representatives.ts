import { type Graph, type Layout, type Mesh, mesh as makeMesh, meshCoordinates } from '../../core/index.ts';
import { overPlanes, sumCell, type Windows } from '../../ops/index.ts';
import { predictPeak } from '../explain.ts';
import type { Kernel } from '../fusion/kernel.ts';
import { roomsBytes } from '../memory/footprint.ts';
import { makePlan, type Plan } from '../plan.ts';
import { groupRoute, transferBytes } from '../program.ts';
import { routeBytes, routeOf, routeRooms } from '../reduce/route.ts';
import type { Target } from '../target.ts';
import type { MachinesOf } from './collectives.ts';
import { type Costs, makesWeight } from './costs.ts';
import { type PredictedTime, predictTime, type TimeOptions } from './predict-time.ts';

// Plans of many ranks, from plans of few. Along an axis of a mesh all ranks but the outer ones have the same neighbours, so
// one inner rank stands for all of them: a mesh of 16 x 16 x 16 is planned as one of 3 x 3 x 3 with blocks of the same size.

/** Sizes of what is trained on, by dimension. */
export type Sizes = Readonly<Record<'batch' | 'depth' | 'height' | 'width', number>>;
export type SplitDim = keyof Sizes;
/** Parts by dimension, those of 1 among them. */
export type Parts = Readonly<Record<SplitDim, number>>;

export const SPLIT_DIMS: readonly SplitDim[] = ['batch', 'depth', 'height', 'width'];

/** Counts of one run of a whole mesh. */
export interface Census {
  readonly ranks: number;
  /** Operations and sent bytes of all ranks together. */
  readonly flops: number;
  readonly bytesSent: { readonly exchange: number; readonly allReduce: number };
  /** Bytes that one rank sends in exchanges at most. */
  readonly exchangeBytesOfRank: number;
  /** Resident memory of the process with the most, bytes. */
  readonly peakBytes: number;
}

export interface Represented {
  /** A plan with at most three ranks along an axis. */
  readonly plan: Plan;
  readonly census: Census;
  time(costs: Costs, options?: TimeOptions): PredictedTime;
}

export interface RepresentOptions {
  /** The graph for volumes of some size. */
  readonly graph: (sizes: Sizes) => Graph;
  readonly target: Target;
  readonly memoryLimit?: number;
  /** Bytes of images that a process holds whose rank has a block of some size. */
  readonly hostBytes?: (block: Sizes) => number;
  /** Ranks that run on one machine, by their numbers; all run on one where it is not said. */
  readonly ranksPerMachine?: number;
  /** The machine of each rank, where that is known; for plans of all ranks. */
  readonly machines?: readonly number[];
}

/** One axis of a mesh: ranks that are planned, the size they share, and how many each of them stands for. */
interface RepresentedAxis {
  readonly ranks: number;
  readonly size: number;
  readonly counts: readonly number[];
}

/** Two outer ranks and one for all between them. Sizes that do not divide: the largest block stands for all. */
function representAxis(size: number, parts: number): RepresentedAxis {
  if (parts <= 3) return { ranks: parts, size, counts: new Array<number>(parts).fill(1) };
  return { ranks: 3, size: 3 * Math.ceil(size / parts), counts: [1, parts - 2, 1] };
}

/**
 * Plans splits of any number of ranks by a few that stand for all. Operations and bytes are those of the whole plan where blocks
 * are not thinner than the cells of weight gradients at the coarsest resolution; where they are, times count that a few ranks
 * then sum whole cells, and bytes leave out what those fetch for it.
 */
export class Representatives {
  private readonly options: RepresentOptions;
  private readonly plans = new Map<string, Plan>();

  constructor(options: RepresentOptions) {
    this.options = options;
  }

  split(sizes: Sizes, parts: Parts): Represented {
    const { hostBytes = () => 0 } = this.options;
    const axes = Object.fromEntries(
      SPLIT_DIMS.map((dim) => [dim, representAxis(sizes[dim], parts[dim])]),
    ) as Record<SplitDim, RepresentedAxis>;
    const cut = SPLIT_DIMS.filter((dim) => parts[dim] > 1);
    const mesh = makeMesh(Object.fromEntries(cut.map((dim) => [dim, axes[dim].ranks])));
    const counts = Array.from({ length: mesh.size }, (_, rank) =>
      meshCoordinates(mesh, rank).map((at, i) => axes[cut[i]].counts[at]),
    );
    const stands = counts.map((each) => each.reduce((a, b) => a * b, 1));
    const small = Object.fromEntries(SPLIT_DIMS.map((dim) => [dim, axes[dim].size])) as Sizes;
    const block = Object.fromEntries(
      SPLIT_DIMS.map((dim) => [dim, Math.ceil(sizes[dim] / parts[dim])]),
    ) as Sizes;
    const host = hostBytes(block);
    const machines = new Machines(parts, this.options.ranksPerMachine ?? Infinity);
    const machinesOf: MachinesOf = ({ axes: joined }) => machines.of(joined as SplitDim[]);
    const apart = cut.map((dim) => !machines.hold(dim));
    const places = Array.from({ length: mesh.size }, (_, rank) => meshCoordinates(mesh, rank));
    const few = this.plan(small, mesh, stands, host);
    // What the planned ranks have no room for counts against the limit too.
    const more = this.options.memoryLimit === undefined ? 0 : gatheredBytes(few, machinesOf);
    const plan = more === 0 ? few : this.plan(small, mesh, stands, host + more);
    return {
      plan,
      census: census(plan, mesh, { stands, counts, machinesOf, hostBytes: host, ranks: rankCount(parts) }),
      time: (costs, time = {}) =>
        predictTime(plan, costs, {
          ...time,
          machinesOf,
          parts: cut.map((dim) => parts[dim]),
          near: (from, to) => places[from].every((at, i) => at === places[to][i] || !apart[i]),
          slowed: (kernel, rank) => slowed(kernel, rank, parts, axes),
        }),
    };
  }

  private plan(sizes: Sizes, mesh: Mesh, stands: readonly number[], hostBytes: number): Plan {
    const { graph, target, memoryLimit } = this.options;
    const key = JSON.stringify([sizes, mesh, hostBytes]);
    const known = this.plans.get(key);
    if (known !== undefined) return known;
    const layout: Layout = Object.fromEntries(mesh.axes.map(({ name }) => [name, name]));
    // Where ranks stand for others, memory is planned for the first, which gathers what is reduced, and for one with the most neighbours.
    const inner = stands.indexOf(Math.max(...stands));
    const planned = stands[inner] > 1 ? [0, inner] : stands.map((_, rank) => rank);
    const processRanks = mesh.size === 1 ? undefined : planned.map((rank) => [rank]);
    const machines = planned.length === this.options.machines?.length ? this.options.machines : undefined;
    const limits = { machines, memoryLimit, hostBytes, thorough: false };
    const made = makePlan(graph(sizes), mesh, layout, target, { processRanks, ...limits });
    this.plans.set(key, made);
    return made;
  }
}

/** Which ranks of a split share a machine: as many as it has, by their numbers. */
class Machines {
  /** How many ranks along each axis are neighbours on one machine. */
  private readonly each: Parts;
  private readonly parts: Parts;

  constructor(parts: Parts, ranksPerMachine: number) {
    this.parts = parts;
    let rest = ranksPerMachine;
    const each: Record<SplitDim, number> = { ...parts };
    // Neighbours along the last axis have neighbouring numbers.
    for (const dim of [...SPLIT_DIMS].reverse()) {
      each[dim] = Math.max(1, Math.min(parts[dim], Math.floor(rest)));
      rest /= parts[dim];
    }
    this.each = each;
  }

  /** Whether all ranks along an axis share a machine. */
  hold(dim: SplitDim): boolean {
    return this.each[dim] === this.parts[dim];
  }

  /** Ranks of a group over some axes on each machine. */
  of(joined: readonly SplitDim[]): number[] {
    const all = joined.reduce((n, dim) => n * this.parts[dim], 1);
    const each = joined.reduce((n, dim) => n * this.each[dim], 1);
    return Array.from({ length: Math.ceil(all / each) }, (_, i) => Math.min(each, all - i * each));
  }
}

/**
 * How many times as many positions the busiest of all ranks has in a kernel as the planned one: weight gradients are summed in whole
 * cells, of a size that follows from the whole volume.
 */
function slowed(
  { anchor }: Kernel,
  rank: number,
  parts: Parts,
  axes: Readonly<Record<SplitDim, RepresentedAxis>>,
): number {
  if (anchor === undefined || !makesWeight(anchor.op)) return 1;
  const loops = anchor.op.loops(anchor.call);
  const planes = overPlanes(anchor.call.inputs[1].shape, (anchor.call.attrs as { window: Windows }).window);
  return loops.reduce((factor, { dim, size, split, cell }, i) => {
    const axis = axes[dim as SplitDim];
    if (split !== 'sum' || cell === undefined || axis === undefined || parts[dim as SplitDim] === axis.ranks)
      return factor;
    const { start, end } = anchor.loops[rank][i];
    const all = parts[dim as SplitDim];
    const block = size / axis.ranks;
    const whole = sumCell(loops.length - 1 - i, block * all, planes);
    const bounds = Array.from({ length: all + 1 }, (_, n) =>
      n === all ? n * block : Math.min(all * block, Math.round((n * block) / whole) * whole),
    );
    const most = Math.max(...bounds.slice(1).map((bound, n) => bound - bounds[n]));
    return end > start ? (factor * most) / (end - start) : factor;
  }, 1);
}

export const rankCount = (parts: Parts): number => SPLIT_DIMS.reduce((n, dim) => n * parts[dim], 1);

interface Standing {
  readonly ranks: number;
  /** How many ranks each planned one stands for; `counts`: by axis of the mesh. */
  readonly stands: readonly number[];
  readonly counts: readonly (readonly number[])[];
  readonly machinesOf: MachinesOf;
  readonly hostBytes: number;
}

function census(plan: Plan, mesh: Mesh, { ranks, stands, counts, machinesOf, hostBytes }: Standing): Census {
  const sent = new Array<number>(mesh.size).fill(0);
  let allReduce = 0;
  for (const step of plan.steps) {
    if (step.kind !== 'collective') continue;
    const [value] = step.node.outputs;
    const collective = step.node.collective!;
    if (collective.kind === 'exchange') {
      for (const { from, to, box } of collective.transfers)
        if (from !== to) sent[from] += transferBytes(value, box);
      continue;
    }
    for (const group of collective.groups) {
      const [first] = group;
      const bytes = transferBytes(value, value.own[first]);
      const groups = counts[first].reduce(
        (n, count, axis) => (collective.axes.includes(mesh.axes[axis].name) ? n : n * count),
        1,
      );
      allReduce += groups * routeBytes(routeOf(machinesOf(collective, group), bytes), bytes);
    }
  }
  return {
    ranks,
    flops: plan.flops.reduce((sum, flops, rank) => sum + flops * stands[rank], 0),
    bytesSent: { exchange: sent.reduce((sum, bytes, rank) => sum + bytes * stands[rank], 0), allReduce },
    exchangeBytesOfRank: Math.max(...sent),
    // The first rank has room for the parts of all others.
    peakBytes: predictPeak(plan, hostBytes) + gatheredBytes(plan, machinesOf),
  };
}

/** Room that the first rank has for parts of ranks which the plan has not: of one all-reduce, or of all that are under way. */
function gatheredBytes(plan: Plan, machinesOf: MachinesOf): number {
  const { list } = plan.memory;
  const missing = (place: number): number => {
    const { step } = list[place];
    if (step.kind !== 'collective' || step.node.collective?.kind !== 'all_reduce') return 0;
    const { collective, outputs } = step.node;
    const [group] = collective.groups;
    const bytes = transferBytes(outputs[0], outputs[0].own[group[0]]);
    if (group.length === 1 || bytes === 0) return 0;
    const all = routeOf(machinesOf(collective, group), bytes);
    return routeRooms(all, bytes, 0) - routeRooms(groupRoute(collective, group, bytes).route, bytes, 0);
  };
  return roomsBytes({ list, inFlight: plan.inFlight }, missing);
}
