import type { Box } from '../../core/index.ts';
import { type AllReducePlan, type Slice, slicesOf, transferBytes, wholeBytes } from '../../plan/index.ts';
import type { Traffic } from '../communicator.ts';
import type { Device, Memory, Message, NativeRoom, Tensor } from '../device.ts';
import type { Posted } from './bound.ts';
import type { Batch, MpiLibrary } from './library.ts';

// All-reduces of one rank, bound to its tensors and to memory for messages.

/** A part of another rank or of this one, where it is combined. */
interface Part extends Posted {
  readonly tensor: Tensor;
  /** Whether the tensor has numbers of its own beside the message. */
  readonly apart: boolean;
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
  const bytes = ({ box }: Slice): number => device.messageBytes(tensor, box);
  return [...others.map(bytes), ...(mine === undefined ? [] : group.map(() => bytes(mine)))];
}

export interface ReduceRooms {
  readonly device: Device;
  /** One for each message, see {@link roomsOf}. */
  readonly rooms: readonly NativeRoom[];
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
  /** Slices that others combine: sent, and received again in the same rooms. */
  private readonly away: readonly Posted[];
  /** The slice that this rank combines: parts of all of the group, in its order. */
  private readonly here: readonly Part[];
  /** This rank's own part of it: from the tensor to where it is combined, and back. */
  private own: Message | undefined;
  private readonly rank: number;
  private readonly device: Device;
  private readonly plan: AllReducePlan;
  private readonly sent: { readonly bytes: number; readonly messages: number };

  constructor(parts: ReduceRooms, rank: number, plan: AllReducePlan, tensor: Tensor) {
    const { device } = parts;
    this.rank = rank;
    this.device = device;
    this.plan = plan;
    const { group, mine, others } = sharedOut(rank, plan, tensor);
    const { rooms } = parts;
    this.away = others.map(({ at: peer, box }, i) => ({
      peer,
      room: rooms[i],
      message: device.message(tensor, box, rooms[i]),
    }));
    this.here =
      mine === undefined ? [] : this.partsOf(parts, tensor, mine.box, group, rooms.slice(others.length));
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

  /** Parts are combined where they arrive if the device can, else in tensors of their own. */
  private partsOf(
    { device, room }: ReduceRooms,
    tensor: Tensor,
    box: Box,
    group: readonly number[],
    rooms: readonly NativeRoom[],
  ): Part[] {
    const type = { shape: tensor.shape, dtype: tensor.dtype, format: device.plain(tensor) };
    const each = wholeBytes(device.spaces.tensors, type.format.bytes(box));
    return group.map((peer, i) => {
      const message = device.message(tensor, box, rooms[i]);
      if (peer === this.rank) this.own = message;
      if (message.tensor) return { peer, room: rooms[i], message, tensor: message.tensor, apart: false };
      const part = device.tensor(room(each * group.length), each * i, type, box);
      return {
        peer,
        room: rooms[i],
        message: device.message(part, box, rooms[i]),
        tensor: part,
        apart: true,
      };
    });
  }

  /** Parts travel to those who combine them. */
  start(mpi: MpiLibrary, batch: Batch, tag: number, traffic: Traffic): void {
    for (const { peer, room, message } of this.here)
      if (peer !== this.rank) mpi.receive(batch, room.address, message.bytes, peer, tag);
    for (const { peer, room, message } of this.away) {
      message.pack();
      mpi.send(batch, room.address, message.bytes, peer, tag);
    }
    traffic.allReduceBytes += this.sent.bytes;
    traffic.messages += this.sent.messages;
  }

  /** This rank combines its slice, which leaves the result in every part; results travel back. */
  middle(mpi: MpiLibrary, batch: Batch, tag: number): void {
    for (const { peer, room, message } of this.away)
      mpi.receive(batch, room.address, message.bytes, peer, tag);
    if (this.here.length === 0) return;
    this.own?.pack();
    for (const { apart, message } of this.here) if (apart) message.unpack();
    this.device.combine(
      this.here.map(({ tensor }) => tensor),
      this.plan.combine,
    );
    for (const { apart, message } of this.here) if (apart) message.pack();
    this.own?.unpack();
    for (const { peer, room, message } of this.here)
      if (peer !== this.rank) mpi.send(batch, room.address, message.bytes, peer, tag);
  }

  finish(): void {
    for (const { message } of this.away) message.unpack();
  }
}
