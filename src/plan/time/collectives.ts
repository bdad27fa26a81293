import {
  type AllReducePlan,
  type ExchangePlan,
  type LocalNode,
  machinesIn,
  transferBytes,
} from '../program.ts';
import { type Route, routeOf } from '../reduce/route.ts';
import type { Branch } from '../reduce/tree.ts';
import type { Link, Links } from './costs.ts';
import type { MeshOnTorus, Sent } from './torus.ts';

// The time of collectives, told from what travels and what carries it.

/** How many ranks of a group of an all-reduce run on each machine. */
export type MachinesOf = (plan: AllReducePlan, group: readonly number[]) => readonly number[];

/** Whose messages stay on a machine. */
export interface Places {
  readonly machinesOf?: MachinesOf;
  readonly near?: (from: number, to: number) => boolean;
  /** The ranks where they are chips of a torus: then nothing else is asked for. */
  readonly onTorus?: MeshOnTorus;
}

/** When each rank has what collectives bring that begin together: an exchange, or all-reduces between the same ranks. */
export function endsOf(
  nodes: readonly LocalNode[],
  now: readonly number[],
  links: Links,
  places: Places,
): readonly number[] {
  const [first] = nodes;
  return first.collective?.kind === 'exchange'
    ? exchangeEnds(first, first.collective, now, links, places)
    : reduceEnds(nodes, now, links, places);
}

/** When each rank has what it needs: its messages are under way when their senders have come here. */
function exchangeEnds(
  node: LocalNode,
  { transfers }: ExchangePlan,
  now: readonly number[],
  links: Links,
  { near = () => false, onTorus }: Places,
): number[] {
  const [value] = node.outputs;
  const sent = transfers.flatMap(({ from, to, box }) =>
    from === to ? [] : [{ from, to, bytes: transferBytes(value, box) }],
  );
  const seconds = onTorus ? onTorus.exchangeSeconds(sent) : linkSeconds(sent, now.length, links, near);
  const begun = now.map(() => 0);
  for (const { from, to } of sent) begun[to] = Math.max(begun[to], now[from]);
  return now.map((here, rank) => (seconds[rank] === 0 ? here : Math.max(here, begun[rank]) + seconds[rank]));
}

/** Seconds of each rank's messages where every two ranks have a link, on which these follow each other; 0 where it has none. */
function linkSeconds(
  all: readonly Sent[],
  ranks: number,
  links: Links,
  near: (from: number, to: number) => boolean,
): number[] {
  const none = () => Array.from({ length: ranks }, () => ({ bytes: 0, messages: 0 }));
  const ways = { far: { sent: none(), got: none() }, near: { sent: none(), got: none() } };
  for (const { from, to, bytes } of all) {
    // With one link for all, messages follow each other on it.
    const close = links.inside !== undefined && near(from, to);
    const { sent, got } = ways[close ? 'near' : 'far'];
    for (const count of [sent[from], got[to]]) {
      count.bytes += bytes;
      count.messages++;
    }
  }
  const { inside = links } = links;
  return Array.from({ length: ranks }, (_, rank) =>
    Math.max(
      ...(
        [
          [ways.far, links],
          [ways.near, inside],
        ] as const
      ).map(([{ sent, got }, link]) => {
        const messages = Math.max(sent[rank].messages, got[rank].messages);
        return messages === 0
          ? 0
          : travelSeconds(link, messages, Math.max(sent[rank].bytes, got[rank].bytes));
      }),
    ),
  );
}

/** When each rank has all sums: those that go the same way travel together, the others one after the other. */
function reduceEnds(
  nodes: readonly LocalNode[],
  now: readonly number[],
  links: Links,
  { machinesOf = machinesIn, onTorus }: Places,
): number[] {
  const ends = [...now];
  const plan = nodes[0].collective as AllReducePlan;
  for (const group of plan.groups) {
    if (group.length < 2) continue;
    if (onTorus) {
      const bytes = nodes.reduce(
        (n, { outputs: [value] }) => n + transferBytes(value, value.own[group[0]]),
        0,
      );
      const end = Math.max(...group.map((rank) => now[rank])) + onTorus.reduceSeconds(plan.axes, bytes);
      for (const rank of group) ends[rank] = end;
      continue;
    }
    const machines = machinesOf(plan, group);
    const route = (bytes: number): Route => routeOf(machines, bytes);
    const bytes = { tree: 0, slices: 0 };
    for (const { outputs } of nodes) {
      const each = transferBytes(outputs[0], outputs[0].own[group[0]]);
      bytes[route(each).kind] += each;
    }
    // The ways are those of a little and of much.
    const seconds =
      (bytes.tree === 0 ? 0 : reduceSeconds(route(0), machines, bytes.tree, links)) +
      (bytes.slices === 0 ? 0 : reduceSeconds(route(Infinity), machines, bytes.slices, links));
    const end = Math.max(...group.map((rank) => now[rank])) + seconds;
    for (const rank of group) ends[rank] = end;
  }
  return ends;
}

/** Seconds of an all-reduce of `bytes` bytes, from the last part to the result everywhere. */
export function reduceSeconds(
  route: Route,
  machines: readonly number[],
  bytes: number,
  links: Links,
): number {
  const { inside = links } = links;
  if (route.kind === 'tree') return treeSeconds(route.tree, machines, bytes, links);
  const { rows, columns } = route;
  const alone = machines.length === 1;
  // A row stays on a machine where whole rows do.
  const alongRow = alone || machines.every((ranks) => ranks % columns === 0) ? inside : links;
  const alongColumn = alone ? inside : links;
  const stage = (link: Link, ranks: number): number =>
    ranks === 1 ? 0 : travelSeconds(link, ranks - 1, (bytes * (ranks - 1)) / ranks);
  // Parts come along the column from all of each row; of results, one.
  const results =
    rows === 1 ? 0 : travelSeconds(alongColumn, rows - 1, (bytes * (rows - 1)) / (rows * columns));
  return 2 * stage(alongRow, columns) + stage(alongColumn, rows) + results;
}

/** Parts up the tree, then the result down it: along the way that takes longest. */
function treeSeconds(
  tree: readonly Branch[],
  machines: readonly number[],
  bytes: number,
  links: Links,
): number {
  const { inside = links } = links;
  const machineOf = machines.flatMap((ranks, i) =>
    new Array<number>(ranks).fill(links.inside === undefined ? 0 : i),
  );
  const [up, down] = [new Array<number>(tree.length).fill(0), new Array<number>(tree.length).fill(0)];
  for (let place = tree.length - 1; place >= 0; place--) {
    const { children } = tree[place];
    const mates = children.filter((child) => machineOf[child] === machineOf[place]);
    const others = children.filter((child) => machineOf[child] !== machineOf[place]);
    for (const [link, below] of [
      [inside, mates],
      [links, others],
    ] as const) {
      if (below.length === 0) continue;
      const parts = below.reduce((sum, child) => sum + tree[child].end - child, 0);
      const last = (of: readonly number[]): number => Math.max(...below.map((child) => of[child]));
      up[place] = Math.max(up[place], last(up) + travelSeconds(link, below.length, parts * bytes));
      down[place] = Math.max(
        down[place],
        last(down) + travelSeconds(link, below.length, below.length * bytes),
      );
    }
  }
  return up[0] + down[0];
}

/** Messages of one rank that travel together. */
const travelSeconds = (link: Link, messages: number, bytes: number): number =>
  link.latencySeconds + (messages - 1) * link.messageSeconds + bytes / link.bytesPerSecond;
