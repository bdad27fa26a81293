import { type Box, isEmpty } from '../../core/index.ts';
import { type AllReducePlan, allReduceBytes, type ExchangePlan, transferBytes } from '../../plan/index.ts';
import type { Traffic } from '../communicator.ts';
import type { Device, Memory, Message, NativeRoom, Tensor } from '../device.ts';
import type { Batch, MpiLibrary } from './library.ts';
import type { Staging } from './staging.ts';

// Collectives of one rank, bound to its tensors and to memory for messages: what can be known before is found out once.

/** A message to or from another rank. */
interface Posted {
  readonly peer: number;
  readonly room: NativeRoom;
  readonly message: Message;
}

/** An exchange: `start` packs and posts everything, `finish` unpacks what has come. */
export class BoundExchange {
  /** Ranks that it waits for. */
  readonly awaited: readonly number[];
  private readonly sends: readonly Posted[];
  private readonly receives: readonly Posted[];
  private readonly copies: readonly Box[];
  private readonly sent: { readonly bytes: number; readonly messages: number };
  private readonly device: Device;
  private readonly from: Tensor;
  private readonly to: Tensor;

  constructor(
    device: Device,
    staging: Staging,
    rank: number,
    plan: ExchangePlan,
    tensors: { readonly from: Tensor; readonly to: Tensor },
  ) {
    const { from, to } = tensors;
    this.device = device;
    this.from = from;
    this.to = to;
    const outgoing = plan.transfers.filter((t) => t.from === rank && t.to !== rank);
    const incoming = plan.transfers.filter((t) => t.to === rank && t.from !== rank);
    this.copies = plan.transfers.filter((t) => t.from === rank && t.to === rank).map(({ box }) => box);
    this.sent = {
      bytes: outgoing.reduce((sum, { box }) => sum + transferBytes(from, box), 0),
      messages: outgoing.length,
    };
    const parts = [
      ...outgoing.map(({ to: peer, box }) => ({ peer, box, tensor: from })),
      ...incoming.map(({ from: peer, box }) => ({ peer, box, tensor: to })),
    ];
    const rooms = staging.rooms(parts.map(({ tensor, box }) => device.messageBytes(tensor, box)));
    const posted = parts.map(({ peer, box, tensor }, i) => ({
      peer,
      room: rooms[i],
      message: device.message(tensor, box, rooms[i]),
    }));
    this.sends = posted.slice(0, outgoing.length);
    this.receives = posted.slice(outgoing.length);
    this.awaited = [...new Set(parts.map(({ peer }) => peer))].sort((a, b) => a - b);
  }

  start(mpi: MpiLibrary, tag: number, traffic: Traffic): Batch {
    const batch = mpi.batch();
    for (const { peer, room, message } of this.receives)
      mpi.receive(batch, room.address, message.bytes, peer, tag);
    for (const { peer, room, message } of this.sends) {
      message.pack();
      mpi.send(batch, room.address, message.bytes, peer, tag);
    }
    for (const box of this.copies) this.device.copyBox(this.to, this.from, box);
    traffic.exchangeBytes += this.sent.bytes;
    traffic.messages += this.sent.messages;
    return batch;
  }

  finish(): void {
    for (const { message } of this.receives) message.unpack();
  }
}

/** Messages of an all-reduce that a rank has: the parts of others where it combines, else its own. */
export function messagesOfAllReduce({ groups }: AllReducePlan, rank: number): number {
  const group = groups.find((members) => members.includes(rank))!;
  return rank === group[0] ? group.length - 1 : 1;
}

/** A part of another rank, as the rank that combines has it. */
interface Part extends Posted {
  readonly tensor: Tensor;
  /** Whether the tensor has numbers of its own beside the message. */
  readonly apart: boolean;
}

/**
 * An all-reduce: parts go to the first rank of the group, are combined there in the order of the group, as ranks of one
 * process are, and the result goes back: so it has the same bits.
 */
export class BoundAllReduce {
  /** Ranks that it waits for. */
  readonly awaited: readonly number[];
  /** The message to and from the first rank; absent on that one. */
  private readonly own: Posted | undefined;
  private readonly parts: readonly Part[] = [];
  private readonly device: Device;
  private readonly tensor: Tensor;
  private readonly plan: AllReducePlan;
  private readonly sent: { readonly bytes: number; readonly messages: number };

  /**
   * `rooms`: one for each message, see {@link messagesOfAllReduce}. `room`: memory of the device for the parts of others, not
   * needed between two reductions.
   */
  constructor(
    {
      device,
      rooms,
      room,
    }: { device: Device; rooms: readonly NativeRoom[]; room: (bytes: number) => Memory },
    rank: number,
    plan: AllReducePlan,
    tensor: Tensor,
  ) {
    const group = plan.groups.find((members) => members.includes(rank))!;
    const [first] = group;
    const leads = rank === first;
    this.device = device;
    this.plan = plan;
    this.tensor = tensor;
    this.awaited = leads ? group.slice(1) : [first];
    // What all ranks of the group send, less what the others do.
    const one = transferBytes(tensor, tensor.box);
    const rest = (group.length - 1) * one;
    this.sent = leads
      ? { bytes: allReduceBytes(group.length, one) - rest, messages: group.length - 1 }
      : { bytes: one, messages: 1 };
    const posted = this.awaited.map((peer, i) => ({
      peer,
      room: rooms[i],
      message: device.message(tensor, tensor.box, rooms[i]),
    }));
    if (!leads) this.own = posted[0];
    else if (!isEmpty(tensor.box)) this.parts = this.partsOf(posted, room);
  }

  /** Parts are combined where they arrive if the device can, else in tensors of their own. */
  private partsOf(posted: readonly Posted[], room: (bytes: number) => Memory): Part[] {
    const { device, tensor } = this;
    const type = { shape: tensor.shape, dtype: tensor.dtype, plain: true };
    const each = Math.ceil(device.storageBytes(type, tensor.box) / 64) * 64;
    return posted.map((one, i) => {
      if (one.message.tensor) return { ...one, tensor: one.message.tensor, apart: false };
      const part = device.tensor(room(each * posted.length), each * i, type, tensor.box);
      return { ...one, message: device.message(part, tensor.box, one.room), tensor: part, apart: true };
    });
  }

  /** Parts travel to the first rank. */
  start(mpi: MpiLibrary, batch: Batch, tag: number, traffic: Traffic): void {
    for (const { peer, room, message } of this.parts)
      mpi.receive(batch, room.address, message.bytes, peer, tag);
    if (this.own) {
      const { peer, room, message } = this.own;
      message.pack();
      mpi.send(batch, room.address, message.bytes, peer, tag);
    }
    traffic.allReduceBytes += this.sent.bytes;
    traffic.messages += this.sent.messages;
  }

  /** The first rank combines, which leaves the result in every part; it travels back. */
  middle(mpi: MpiLibrary, batch: Batch, tag: number): void {
    if (this.own) {
      const { peer, room, message } = this.own;
      mpi.receive(batch, room.address, message.bytes, peer, tag);
      return;
    }
    if (this.parts.length === 0) return;
    for (const { apart, message } of this.parts) if (apart) message.unpack();
    this.device.combine([this.tensor, ...this.parts.map(({ tensor }) => tensor)], this.plan.combine);
    for (const { peer, room, message, apart } of this.parts) {
      if (apart) message.pack();
      mpi.send(batch, room.address, message.bytes, peer, tag);
    }
  }

  finish(): void {
    this.own?.message.unpack();
  }
}
