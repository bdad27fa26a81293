import {
  type Attrs,
  type Box,
  BYTES,
  boxVolume,
  type Call,
  type CutTable,
  type Mesh,
  type Op,
  showAttrs,
  showBox,
  showShape,
  type TensorType,
} from '../core/index.ts';
import { type Route, routeBytes, routeMessages, routeOf } from './reduce/route.ts';

// The local program: one list of operations that every rank runs, with a box per rank for everything.

/** A tensor of the local program. Arrays run over ranks. */
export interface LocalValue extends TensorType {
  readonly id: number;
  readonly producer: LocalNode;
  /** What each rank is answerable for. Ranks along axes that do not split the tensor own the same box. */
  readonly own: readonly Box[];
  /** What each rank holds in a readable state; at least `own`. */
  valid: Box[];
}

/** A box that one rank sends to another. */
export interface Transfer {
  readonly from: number;
  readonly to: number;
  readonly box: Box;
}

export interface ExchangePlan {
  readonly kind: 'exchange';
  transfers: readonly Transfer[];
  /** True when margins are filled in the tensor's own buffer; else the result has a buffer of its own. */
  inPlace: boolean;
}

export interface AllReducePlan {
  readonly kind: 'all_reduce';
  readonly axes: readonly string[];
  /** Ranks that combine their partial results, ascending; every rank is in exactly one group. */
  readonly groups: readonly (readonly number[])[];
  readonly combine: 'sum' | 'max' | 'min';
  /** The machine of each rank, by number, which trees keep to; absent: all count as one machine. */
  readonly machines?: readonly number[];
}

/** One use of an operation by all ranks. */
export interface LocalNode {
  readonly id: number;
  readonly op: Op;
  readonly call: Call<Attrs>;
  inputs: LocalValue[];
  readonly outputs: LocalValue[];
  /** Loop box of each rank. */
  loops: Box[];
  readonly name: string;
  readonly collective?: ExchangePlan | AllReducePlan;
}

export interface LocalProgram {
  readonly mesh: Mesh;
  readonly cuts: CutTable;
  /** In an order in which every operation comes after its inputs. */
  readonly nodes: readonly LocalNode[];
  /** Values to read after a run, by name. */
  readonly outputs: ReadonlyMap<string, LocalValue>;
  /** Values to write before a run, by input name. */
  readonly inputs: ReadonlyMap<string, LocalValue>;
  /** Values that live from run to run, by variable name. */
  readonly variables: ReadonlyMap<string, LocalValue>;
}

/** Bytes of one transfer. */
export function transferBytes(value: TensorType, box: Box): number {
  return boxVolume(box) * BYTES[value.dtype];
}

/** How a group goes about an all-reduce: the way, and the ranks at its places. */
export interface GroupRoute {
  readonly route: Route;
  /** Ranks of one machine stand beside each other, those of the first rank's machine first. */
  readonly places: readonly number[];
}

/** The way of an all-reduce of `bytes` bytes over one of its groups. */
export function groupRoute(plan: AllReducePlan, group: readonly number[], bytes: number): GroupRoute {
  const machines = byMachine(plan, group);
  return {
    route: routeOf(
      machines.map(({ length }) => length),
      bytes,
    ),
    places: machines.flat(),
  };
}

/** How many ranks of a group run on each machine. */
export const machinesIn = (plan: AllReducePlan, group: readonly number[]): number[] =>
  byMachine(plan, group).map(({ length }) => length);

function byMachine({ machines }: AllReducePlan, group: readonly number[]): number[][] {
  const ranks = new Map<number, number[]>();
  for (const rank of group) {
    const machine = machines?.[rank] ?? 0;
    const members = ranks.get(machine) ?? [];
    ranks.set(machine, members);
    members.push(rank);
  }
  return [...ranks.values()];
}

/** Bytes and messages that all ranks of a group send for an all-reduce of a box of each. */
export function allReduceSent(plan: AllReducePlan, group: readonly number[], type: TensorType, box: Box) {
  const bytes = transferBytes(type, box);
  const { route } = groupRoute(plan, group, bytes);
  return { bytes: routeBytes(route, bytes), messages: routeMessages(route, boxVolume(box)) };
}

/** Bytes that a node sends between ranks, all ranks together. */
export function nodeBytes(node: LocalNode): number {
  const { collective } = node;
  const [value] = node.outputs;
  if (!collective) return 0;
  if (collective.kind === 'exchange')
    return collective.transfers
      .filter((t) => t.from !== t.to)
      .reduce((sum, t) => sum + transferBytes(value, t.box), 0);
  return collective.groups.reduce(
    (sum, group) => sum + allReduceSent(collective, group, value, value.own[group[0]]).bytes,
    0,
  );
}

/** The program as text, one line an operation, with the boxes of one rank. */
export function printProgram(program: LocalProgram, rank = 0): string {
  const name = (value: LocalValue): string => `%${value.id}`;
  const lines = program.nodes.map((node) => {
    const outputs = node.outputs.map(
      (v) => `${name(v)}:${v.dtype}${showShape(v.shape)}@${showBox(v.valid[rank])}`,
    );
    const tail = node.collective ? ` ${showCollective(node)}` : '';
    return `${outputs.join(', ')} = ${node.op.name}(${node.inputs.map(name).join(', ')})${showAttrs(node.call.attrs)}${tail}`;
  });
  for (const [key, value] of program.outputs) lines.push(`output ${key} = ${name(value)}`);
  return lines.join('\n');
}

function showCollective(node: LocalNode): string {
  const plan = node.collective!;
  const bytes = nodeBytes(node);
  if (plan.kind === 'exchange')
    return `{transfers=${plan.transfers.length} bytes=${bytes}${plan.inPlace ? '' : ' copy'}}`;
  return `{axes=${plan.axes.join(',')} ${plan.combine} bytes=${bytes}}`;
}
