import type { Box } from '../../core/index.ts';
import { type AllReducePlan, type Slice, slicesOf, transferBytes, wholeBytes } from '../../plan/index.ts';
import type { Device, HostRoom, Launch, Mark, Memory, Tensor } from '../device.ts';
import type { Traffic } from '../world.ts';
import type { Received, Sent } from './bound.ts';
import type { Batch, MpiLibrary } from './library.ts';

// All-reduces of one rank, bound to its tensors and to memory for messages.

/** A slice that travels away and comes back in the same room. */
type Slot = Sent & Received;

/** A part of another rank or of this one, as it is combined. */
interface Part {
  readonly peer: number;
  readonly room: HostRoom;
  readonly bytes: number;
  /** What is combined: the room itself where the device computes in rooms. */
  readonly tensor: Tensor;
  /** Between the room and a tensor of its own; absent where they are one. */
  readonly moves?: Pick<Slot, 'pack' | 'unpack'>;
}

/** Slices of a rank: the one that it combines, if any, and those that others do. */
function sharedOut(rank: number, plan: AllReducePlan, tensor: Tensor) {
  const group = plan.groups.find((members) => members.includes(rank))!;
  const slices = slicesOf(tensor, tensor.box, group);
  return {
    group,
    mine: slices.find(({ at }) => at === rank),
    others: slices.filter(({ at }) => at !== rank),
  };
}

/** Bytes of the messages of an all-reduce: a slice for each rank that combines one, and the parts of all of its own. */
export function roomsOf(device: Device, rank: number, plan: AllReducePlan, tensor: Tensor): number[] {
  const { group, mine, others } = sharedOut(rank, plan, tensor);
  const bytes = ({ box }: Slice): number => device.transport.bytes(tensor, box);
  return [...others.map(bytes), ...(mine === undefined ? [] : group.map(() => bytes(mine)))];
}

export interface ReduceRooms {
  readonly device: Device;
  /** One for each message, see {@link roomsOf}. */
  readonly rooms: readonly HostRoom[];
  /** Memory of the device for parts that cannot be combined in their messages; not needed between two reductions. */
  room(bytes: number): Memory;
}

/**
 * An all-reduce: each slice goes to the rank that combines it, in the order of the group, as ranks of one process are combined; the
 * result goes back. So it has the same bits.
 */
export class BoundAllReduce {
  /** Ranks that it waits for. */
  readonly awaited: readonly number[];
  /** Slices that others combine. */
  private readonly away: readonly Slot[];
  /** The slice that this rank combines: parts of all of the group, in its order. */
  private readonly here: readonly Part[];
  /** From this rank's tensor to its part of that slice, and back. */
  private readonly own: readonly [Launch, Launch] | undefined;
  private readonly combine: Launch | undefined;
  private readonly rank: number;
  private readonly device: Device;
  private readonly sent: { readonly bytes: number; readonly messages: number };

  constructor(parts: ReduceRooms, rank: number, plan: AllReducePlan, tensor: Tensor) {
    const { device } = parts;
    this.rank = rank;
    this.device = device;
    const { group, mine, others } = sharedOut(rank, plan, tensor);
    const { rooms } = parts;
    const { transport } = device;
    this.away = others.map(({ at: peer, box }, i) => ({
      peer,
      room: rooms[i],
      bytes: transport.bytes(tensor, box),
      ...transport.outgoing(tensor, box, rooms[i]),
      ...transport.incoming(tensor, box, rooms[i]),
    }));
    this.here = mine === undefined ? [] : partsOf(parts, tensor, mine.box, group, rooms.slice(others.length));
    const part = this.here.find(({ peer }) => peer === rank);
    if (mine !== undefined && part !== undefined) {
      this.own = [device.copy(part.tensor, tensor, mine.box), device.copy(tensor, part.tensor, mine.box)];
      this.combine = device.combine(
        this.here.map((one) => one.tensor),
        plan.combine,
      );
    }
    const back = mine === undefined ? 0 : group.length - 1;
    this.sent = {
      bytes:
        others.reduce((sum, { box }) => sum + transferBytes(tensor, box), 0) +
        (mine === undefined ? 0 : back * transferBytes(tensor, mine.box)),
      messages: others.length + back,
    };
    const peers = [...others.map(({ at }) => at), ...(mine === undefined ? [] : group)];
    this.awaited = [...new Set(peers)].filter((peer) => peer !== rank).sort((a, b) => a - b);
  }

  /** Packs the slices that others combine; gives the mark after which `send` may be called. */
  pack(): Mark | undefined {
    return this.away.map(({ pack }) => pack()).at(-1);
  }

  /** Parts of the slice that this rank combines will come. */
  receive(mpi: MpiLibrary, batch: Batch, tag: number): void {
    for (const { peer, room, bytes } of this.here)
      if (peer !== this.rank) mpi.receive(batch, room.address, bytes, peer, tag);
  }

  /** Slices travel to those who combine them. */
  send(mpi: MpiLibrary, batch: Batch, tag: number, traffic: Traffic): void {
    for (const { peer, room, bytes } of this.away) mpi.send(batch, room.address, bytes, peer, tag);
    traffic.allReduceBytes += this.sent.bytes;
    traffic.messages += this.sent.messages;
  }

  /** Combines this rank's slice, which leaves the result in every part; gives the mark after which `sendBack` may be called. */
  reduce(): Mark | undefined {
    if (this.own === undefined) return undefined;
    const [enter, leave] = this.own;
    enter.run();
    for (const { peer, moves } of this.here) if (peer !== this.rank) moves?.unpack();
    this.combine?.run();
    for (const { peer, moves } of this.here) if (peer !== this.rank) moves?.pack();
    leave.run();
    return this.device.mark();
  }

  /** Results will come for the slices that others combine. */
  receiveBack(mpi: MpiLibrary, batch: Batch, tag: number): void {
    for (const { peer, room, bytes } of this.away) mpi.receive(batch, room.address, bytes, peer, tag);
  }

  /** The result travels to all. */
  sendBack(mpi: MpiLibrary, batch: Batch, tag: number): void {
    for (const { peer, room, bytes } of this.here)
      if (peer !== this.rank) mpi.send(batch, room.address, bytes, peer, tag);
  }

  finish(): void {
    for (const { unpack } of this.away) unpack();
  }
}

/** Parts are combined where they arrive if the device computes in rooms, else in tensors of their own. */
function partsOf(
  { device, room }: ReduceRooms,
  like: Tensor,
  box: Box,
  group: readonly number[],
  rooms: readonly HostRoom[],
): Part[] {
  const { transport } = device;
  const bytes = transport.bytes(like, box);
  const type = { shape: like.shape, dtype: like.dtype, format: device.plain(like) };
  const each = wholeBytes(device.spaces.tensors, type.format.bytes(box));
  return group.map((peer, i): Part => {
    const place = { peer, room: rooms[i], bytes };
    if (transport.tensor !== undefined) return { ...place, tensor: transport.tensor(like, box, rooms[i]) };
    const tensor = device.tensor(room(each * group.length), each * i, type, box);
    const moves = {
      ...transport.outgoing(tensor, box, rooms[i]),
      ...transport.incoming(tensor, box, rooms[i]),
    };
    return { ...place, tensor, moves };
  });
}
