import { fail, type Graph, type Layout, type Mesh } from '../core/index.ts';
import { fuse } from './fusion/fuse.ts';
import { type InFlight, inFlightOf } from './fusion/in-flight.ts';
import { late } from './fusion/late.ts';
import { assignBuffers, type Buffer } from './memory/buffers.ts';
import { besideBytes, messageBytes, processBytes } from './memory/footprint.ts';
import { type MemoryPlan, MemoryPlanner } from './memory/memory.ts';
import type { PlanStep } from './memory/schedule.ts';
import { scratchBuffers } from './memory/scratch.ts';
import { type LocalNode, type LocalProgram, type LocalValue, nodeBytes } from './program.ts';
import { partition } from './split/partition.ts';
import { partitionRegion, type Region } from './split/region.ts';
import type { Target } from './target.ts';

/** Everything that is decided before anything runs. */
export interface Plan {
  /** Name of the device that it is for, and where the dimensions of tensors are cut. */
  readonly device: string;
  readonly layout: Layout;
  readonly program: LocalProgram;
  /** In the order in which they run. */
  readonly steps: readonly PlanStep[];
  readonly buffers: ReadonlyMap<LocalValue, Buffer>;
  readonly memory: MemoryPlan;
  /** Collectives that go on beside kernels. */
  readonly inFlight: readonly InFlight[];
  /** What it is made for. */
  readonly target: Target;
  /** Floating-point operations of one run, per rank; those of kernels that run again are counted in `flopsAgain`. */
  readonly flops: readonly number[];
  readonly flopsAgain: readonly number[];
  /** Bytes that one run sends between ranks, all together. */
  readonly bytesSent: { readonly exchange: number; readonly allReduce: number };
}

/** How a plan is made. */
export interface PlanOptions {
  /** Ranks of each process; by default all are in one, run in turn and share an arena. */
  readonly processRanks?: readonly (readonly number[])[];
  /** The machine of each rank, by number; by default all are on one. */
  readonly machines?: readonly number[];
  /** Resident bytes of a process at most; what does not fit is recomputed and spilled. */
  readonly memoryLimit?: number;
  /** Whether a limit that is hard to meet is worth a long search; true by default. */
  readonly thorough?: boolean;
  /** Bytes of images that the process holds beside its tensors. */
  readonly hostBytes?: number;
  /** Boxes of the outputs to compute, by one rank; all of every output by default. */
  readonly region?: Region;
}

/**
 * Partitions, fuses, schedules and places a graph for a device; raises what the device cannot run, and a memory limit that
 * cannot be met.
 */
export function makePlan(
  graph: Graph,
  mesh: Mesh,
  layout: Layout,
  target: Target,
  options: PlanOptions = {},
): Plan {
  const { memoryLimit: limit, thorough } = options;
  const { program, buffers, planner, fixedBytes } = prepare(graph, mesh, layout, target, options);
  const memory = planner.plan({ limit, thorough, fixedBytes });
  const { processRanks } = options;
  const bytesSent = { exchange: 0, allReduce: 0 };
  for (const { step } of memory.list) {
    if (step.kind !== 'collective') continue;
    if (step.node.collective?.kind === 'exchange') bytesSent.exchange += nodeBytes(step.node);
    if (step.node.collective?.kind === 'all_reduce') bytesSent.allReduce += nodeBytes(step.node);
  }
  const ranks = Array.from({ length: mesh.size }, (_, rank) => rank);
  const again = memory.list.flatMap(({ step, again }) => (again && step.kind === 'kernel' ? step.nodes : []));
  return {
    device: target.name,
    layout,
    program,
    steps: memory.list.map(({ step }) => step),
    buffers,
    memory,
    inFlight: inFlightAmong(memory.list, buffers, target, processRanks),
    target,
    flops: ranks.map((rank) => flopsOf(program.nodes, rank)),
    flopsAgain: ranks.map((rank) => flopsOf(again, rank)),
    bytesSent,
  };
}

/**
 * The smallest memory limit that a plan can meet, bytes; undefined where it is above `below`. `memoryLimit` and `thorough` of the
 * options do not count.
 */
export function leastMemory(
  graph: Graph,
  mesh: Mesh,
  layout: Layout,
  target: Target,
  options: PlanOptions & { readonly below?: number } = {},
): number | undefined {
  const { planner, fixedBytes } = prepare(graph, mesh, layout, target, options);
  return planner.least(fixedBytes, options.below);
}

/** All that is decided before memory is. */
function prepare(
  graph: Graph,
  mesh: Mesh,
  layout: Layout,
  target: Target,
  { processRanks, machines, hostBytes = 0, region }: PlanOptions,
) {
  if (region !== undefined && mesh.size > 1)
    fail({
      where: 'region',
      problem: `expected one rank, found ${mesh.size}`,
      hint: 'Blocks need no mesh: each is computed without the others',
    });
  const program =
    region === undefined ? partition(graph, mesh, layout, machines) : partitionRegion(graph, region);
  checkSupport(program, target);
  const fused = fuse(program, target.fusion);
  const apart = processRanks !== undefined && processRanks.length > 1;
  const steps = apart && target.overlap ? late(fused) : fused;
  const buffers = assignBuffers(program, steps, target.formats(program));
  const once = steps.map((step) => ({ step, again: false }));
  const { fixedBytes } = target.spaces.tensors;
  const inFlight = inFlightAmong(once, buffers, target, processRanks);
  const messages = apart ? messageBytes({ list: once, inFlight }, fixedBytes) : 0;
  const most = Math.max(...(processRanks ?? [{ length: mesh.size }]).map(({ length }) => length));
  const scratchOf = scratchBuffers(target, buffers, mesh.size);
  const planner = new MemoryPlanner({ program, steps, buffers, scratchOf }, target, processRanks);
  return {
    program,
    buffers,
    planner,
    fixedBytes: processBytes(fixedBytes, most) + messages + besideBytes(target, hostBytes),
  };
}

/** Ranks of one process run in turn: nothing goes on beside their kernels. */
function inFlightAmong(
  list: Parameters<typeof inFlightOf>[0],
  buffers: Plan['buffers'],
  { overlap }: Target,
  processRanks: PlanOptions['processRanks'] = [],
): InFlight[] {
  return overlap && processRanks.length > 1 ? inFlightOf(list, buffers) : [];
}

function flopsOf(nodes: readonly LocalNode[], rank: number): number {
  return nodes.reduce((sum, { op, call, loops }) => sum + op.cost(call, loops[rank]).flops, 0);
}

function checkSupport(program: LocalProgram, target: Target): void {
  const refused = new Map<string, string>();
  for (const node of program.nodes) {
    if (node.collective) continue;
    const reason = target.refuses(node);
    if (reason !== undefined && !refused.has(node.call.where)) refused.set(node.call.where, reason);
  }
  if (refused.size === 0) return;
  fail({
    where: `device ${target.name}`,
    problem: `cannot run ${[...refused].map(([where, reason]) => `${where} (${reason})`).join('; ')}`,
    hint: 'Use another device, e.g. --device reference, or change the model',
  });
}
