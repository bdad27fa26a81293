import { BYTES, boxVolume, isEmpty } from '../../core/index.ts';
import { type InFlight, inFlightOf } from '../fusion/in-flight.ts';
import type { CollectiveStep, Kernel } from '../fusion/kernel.ts';
import { moveSeconds } from '../memory/weights.ts';
import type { Plan } from '../plan.ts';
import type { LocalNode, LocalValue } from '../program.ts';
import { endsOf, type MachinesOf } from './collectives.ts';
import { type Costs, type KernelWork, kernelWork, type Sharing } from './costs.ts';
import { MeshOnTorus } from './torus.ts';

// The time of a step, told from a plan and what work takes on a machine. Every rank has a clock; kernels move its own, collectives
// those of all that take part.

export interface TimeOptions extends Partial<Sharing> {
  /** Whether exchanges and all-reduces go on beside the kernels; false: every rank waits for each. */
  readonly overlap?: boolean;
  /** How many ranks an all-reduce joins on each machine, where the plan stands for one with more ranks than it has. */
  readonly machinesOf?: MachinesOf;
  /** Whether two ranks share a machine, as far as that tells the slowest of those that they stand for. */
  readonly near?: (from: number, to: number) => boolean;
  /** Ranks along each axis of the mesh, where those of the plan stand for more. */
  readonly parts?: readonly number[];
  /** How many times as many positions the busiest of the ranks that one stands for has in a kernel. */
  readonly slowed?: (kernel: Kernel, rank: number) => number;
}

export interface RankTime {
  readonly seconds: number;
  /** Of that: in kernels, and waiting in exchanges and in all-reduces, for messages and for slower ranks. */
  readonly kernels: number;
  readonly exchanges: number;
  readonly allReduces: number;
}

export interface PredictedTime {
  /** Of the step: that of the last rank. */
  readonly seconds: number;
  readonly ranks: readonly RankTime[];
}

/** What a collective brings, and when. */
interface Coming {
  readonly kind: 'exchanges' | 'allReduces';
  /** By rank, seconds. */
  readonly at: readonly number[];
  /** Part of the work of a kernel that needs what comes, by rank: 1 where it can do nothing before. */
  readonly shell: readonly number[];
}

/** Seconds of one run of a plan whose ranks all run at the same time, one in a process. */
export function predictTime(plan: Plan, costs: Costs, options: TimeOptions = {}): PredictedTime {
  const { overlap = false, threads = 1, ranksPerMachine = 1, slowed = () => 1 } = options;
  const sharing = { threads, ranksPerMachine };
  const { link } = costs;
  const onTorus = link.torus && new MeshOnTorus(plan.program.mesh, link.torus, link, options.parts);
  const places = { ...options, onTorus };
  const ranks = Array.from({ length: plan.program.mesh.size }, (_, rank) => rank);
  const clocks = ranks.map(() => ({ seconds: 0, kernels: 0, exchanges: 0, allReduces: 0 }));
  const coming = new Map<LocalValue, Coming>();
  const wait = (rank: number, until: number, kind: Coming['kind']): void => {
    const clock = clocks[rank];
    const waited = Math.max(0, until - clock.seconds);
    clock.seconds += waited;
    clock[kind] += waited;
  };
  const work = (rank: number, seconds: number): void => {
    clocks[rank].seconds += seconds;
    clocks[rank].kernels += seconds;
  };
  const inFlight = overlap ? inFlightOf(plan.memory.list, plan.buffers) : [];
  const flying = new Map(
    inFlight.flatMap((flight) => flight.places.map((place) => [place, flight] as const)),
  );
  /** When what a flight brings is there, by rank. */
  const landing = new Map<InFlight, readonly number[]>();
  const depart = (after: number): void => {
    for (const flight of inFlight) {
      if (flight.begin !== after) continue;
      const now = clocks.map(({ seconds }) => seconds);
      const nodes = flight.places.map((place) => (plan.steps[place] as CollectiveStep).node);
      landing.set(flight, endsOf(nodes, now, link, places));
    }
  };
  depart(-1);
  for (const [place, step] of plan.steps.entries()) {
    if (place > 0) depart(place - 1);
    if (step.kind === 'move') {
      if (step.action !== 'spill' && step.action !== 'prefetch') continue;
      const { boxes, dtype } = step.buffer;
      for (const rank of ranks) work(rank, moveSeconds(plan.target, boxVolume(boxes[rank]) * BYTES[dtype]));
      continue;
    }
    // What is read must have come; of a kernel, only its shell needs it.
    const needed = step.reads.flatMap((value) => coming.get(value) ?? []);
    for (const rank of ranks) {
      if (step.kind === 'collective') {
        for (const { at, kind } of needed) wait(rank, at[rank], kind);
        continue;
      }
      const seconds = step.nodes.some((node) => !isEmpty(node.loops[rank]))
        ? costs.kernel(step, times(kernelWork(step, rank), slowed(step, rank)), sharing)
        : 0;
      const shell = needed.reduce((most, { shell }) => Math.max(most, shell[rank]), 0);
      work(rank, seconds * (1 - shell));
      for (const { at, kind } of needed) wait(rank, at[rank], kind);
      work(rank, seconds * shell);
    }
    for (const value of step.reads) coming.delete(value);
    if (step.kind !== 'collective') continue;
    const kind = step.node.collective?.kind === 'exchange' ? 'exchanges' : 'allReduces';
    const flight = flying.get(place);
    const now = clocks.map(({ seconds }) => seconds);
    const at = (flight && landing.get(flight)) ?? endsOf([step.node], now, link, places);
    // A kernel that reads margins does its interior before it waits for those that are under way.
    if (flight === undefined || kind === 'allReduces') for (const rank of ranks) wait(rank, at[rank], kind);
    else {
      const shell = ranks.map((rank) => shellOf(step.node, rank));
      for (const value of step.writes) coming.set(value, { kind, at, shell });
    }
  }
  for (const { at, kind } of coming.values()) for (const rank of ranks) wait(rank, at[rank], kind);
  return { seconds: Math.max(...clocks.map(({ seconds }) => seconds)), ranks: clocks };
}

/** The work of so many times as many positions, with as many weights. */
const times = ({ flops, bytes, weights }: KernelWork, factor: number): KernelWork => ({
  flops: factor * flops,
  bytes: factor * bytes,
  weights,
});

/** Part of a rank's block that lies as near to its margins as these are wide. */
function shellOf({ inputs, outputs }: LocalNode, rank: number): number {
  const own = inputs[0].own[rank];
  const wide = outputs[0].valid[rank];
  const inside = own.reduce((part, { start, end }, i) => {
    const length = end - start;
    if (length === 0) return part;
    const margins = start - wide[i].start + wide[i].end - end;
    return part * Math.max(0, 1 - margins / length);
  }, 1);
  return 1 - inside;
}
