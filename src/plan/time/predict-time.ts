import { BYTES, boxVolume, isEmpty } from '../../core/index.ts';
import { type InFlight, inFlightOf } from '../fusion/in-flight.ts';
import type { CollectiveStep, Kernel } from '../fusion/kernel.ts';
import { SLICED } from '../memory/slices.ts';
import { moveSeconds } from '../memory/weights.ts';
import type { Plan } from '../plan.ts';
import {
  type AllReducePlan,
  type ExchangePlan,
  type LocalNode,
  type LocalValue,
  transferBytes,
} from '../program.ts';
import { type Costs, kernelWork, type Link, type Sharing } from './costs.ts';

// The time of a step, told from a plan and what work takes on a machine. Every rank has a clock; kernels move its own, collectives
// those of all that take part.

export interface TimeOptions extends Partial<Sharing> {
  /** Whether exchanges and all-reduces go on beside the kernels; false: every rank waits for each. */
  readonly overlap?: boolean;
  /** Ranks that an all-reduce over some mesh axes joins, where the plan stands for one with more ranks than it has. */
  readonly groupSize?: (plan: AllReducePlan) => number;
  /** How many times as much work the busiest of the ranks that one stands for has in a kernel. */
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
      landing.set(flight, bucketEnds(nodes, now, costs.link, options.groupSize));
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
        ? costs.kernel(step, kernelWork(step, rank), sharing) * slowed(step, rank)
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
    const at = (flight && landing.get(flight)) ?? bucketEnds([step.node], now, costs.link, options.groupSize);
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

/** When each rank has what it needs: its messages are under way when their senders have come here. */
function exchangeEnds(
  node: LocalNode,
  { transfers }: ExchangePlan,
  now: readonly number[],
  link: Link,
): number[] {
  const [value] = node.outputs;
  const sent = now.map(() => ({ bytes: 0, messages: 0 }));
  const got = now.map(() => ({ bytes: 0, messages: 0, from: 0 }));
  for (const { from, to, box } of transfers) {
    if (from === to) continue;
    const bytes = transferBytes(value, box);
    sent[from].bytes += bytes;
    sent[from].messages++;
    got[to].bytes += bytes;
    got[to].messages++;
    got[to].from = Math.max(got[to].from, now[from]);
  }
  return now.map((here, rank) => {
    const bytes = Math.max(sent[rank].bytes, got[rank].bytes);
    const messages = Math.max(sent[rank].messages, got[rank].messages);
    if (messages === 0) return here;
    const travel = link.latencySeconds + (messages - 1) * link.messageSeconds + bytes / link.bytesPerSecond;
    return Math.max(here, got[rank].from) + travel;
  });
}

/** When each rank has what collectives bring that begin together: an exchange, or all-reduces between the same ranks. */
function bucketEnds(
  nodes: readonly LocalNode[],
  now: readonly number[],
  link: Link,
  groupSize?: (plan: AllReducePlan) => number,
): readonly number[] {
  return nodes.reduce<readonly number[]>((ends, node, i) => {
    const { collective } = node;
    const begin = i === 0 ? now : ends.map((end) => end - 2 * link.latencySeconds);
    return collective?.kind === 'exchange'
      ? exchangeEnds(node, collective, begin, link)
      : reduceEnds(node, collective!, begin, link, groupSize);
  }, now);
}

/**
 * When each rank has the sum. Of a small tensor all parts travel to the first rank of the group, one after the other into its link,
 * and back; of a large one every rank gets the parts of its slice and sends its sum to all.
 */
function reduceEnds(
  node: LocalNode,
  plan: AllReducePlan,
  now: readonly number[],
  link: Link,
  groupSize: (plan: AllReducePlan) => number = () => plan.groups[0].length,
): number[] {
  const ends = [...now];
  const [value] = node.outputs;
  for (const group of plan.groups) {
    if (group.length < 2) continue;
    const others = groupSize(plan) - 1;
    const bytes = transferBytes(value, value.own[group[0]]);
    const each = bytes >= SLICED ? bytes / (others + 1) : bytes;
    const way =
      link.latencySeconds + (others - 1) * link.messageSeconds + (others * each) / link.bytesPerSecond;
    const end = Math.max(...group.map((rank) => now[rank])) + 2 * way;
    for (const rank of group) ends[rank] = end;
  }
  return ends;
}

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
