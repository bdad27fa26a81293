import type { InFlight } from '../fusion/in-flight.ts';
import { groupRoute, type LocalNode, transferBytes } from '../program.ts';
import { routeRooms } from '../reduce/route.ts';
import type { FixedBytes, Target } from '../target.ts';
import type { PlanStep } from './schedule.ts';

// What a process takes beside the arenas and variables of its ranks.

/** Bytes of a process that runs `ranks` ranks, beside their tensors and messages. */
export const processBytes = ({ process, rank }: FixedBytes, ranks: number): number => process + ranks * rank;

/** Bytes that volumes of the host take of the memory that tensors lie in. */
export const besideBytes = ({ spaces }: Target, hostBytes: number): number =>
  spaces.tensors.ofHost ? hostBytes : 0;

/** Steps of a schedule, and the collectives that go on beside others. */
export interface Scheduling {
  readonly list: readonly { readonly step: PlanStep }[];
  readonly inFlight: readonly InFlight[];
}

/**
 * Bytes for messages of a process with one rank beside other processes. Collectives that are under way at the same time have bytes
 * of their own; else one runs after the other in the same bytes, so the one with most of them decides.
 */
export function messageBytes({ list, inFlight }: Scheduling, { messages }: FixedBytes): number {
  const bytesAt = (place: number): number => {
    const { step } = list[place];
    if (step.kind !== 'collective') return 0;
    const bytes = step.writes[0].own.map((_, rank) => messagesOf(step.node, rank));
    return bytes.reduce((a, b) => Math.max(a, b), 0);
  };
  return messages + roomsBytes({ list, inFlight }, bytesAt);
}

/**
 * Bytes of the rooms of all collectives, where the one at a place takes `bytesAt` it: those of a slot use the same room, one after
 * the other, and so do all that do not go on beside kernels.
 */
export function roomsBytes({ list, inFlight }: Scheduling, bytesAt: (place: number) => number): number {
  const rooms = new Map<string, number>();
  const take = (room: string, bytes: number): void => {
    rooms.set(room, Math.max(bytes, rooms.get(room) ?? 0));
  };
  const flying = new Set(inFlight.flatMap(({ places }) => places));
  for (const { kind, slot, places } of inFlight)
    take(
      `${kind} ${slot}`,
      places.reduce((sum, place) => sum + bytesAt(place), 0),
    );
  for (const place of list.keys()) if (!flying.has(place)) take('others', bytesAt(place));
  return [...rooms.values()].reduce((a, b) => a + b, 0);
}

/** Bytes that one rank has in messages at one time. */
function messagesOf({ collective, outputs: [value] }: LocalNode, rank: number): number {
  if (collective?.kind === 'exchange')
    return collective.transfers
      .filter(({ from, to }) => from !== to && (from === rank || to === rank))
      .reduce((sum, { box }) => sum + transferBytes(value, box), 0);
  if (collective?.kind !== 'all_reduce') return 0;
  const group = collective.groups.find((members) => members.includes(rank))!;
  const bytes = transferBytes(value, value.own[rank]);
  if (group.length === 1 || bytes === 0) return 0;
  const { route, places } = groupRoute(collective, group, bytes);
  return routeRooms(route, bytes, places.indexOf(rank));
}
