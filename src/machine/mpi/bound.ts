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

/**
 * An all-reduce: parts go to the first rank of the group, are combined there in the order of the group, as ranks of one
 * process are, and the result goes back: so it has the same bits.
 */
export class BoundAllReduce {
  /** Ranks that it waits for. */
  readonly awaited: readonly number[];
  /** Whether this rank combines. */
  readonly leads: boolean;
  private readonly own: Posted;
  /** The parts of the others, for the rank that combines. */
  private readonly parts: readonly (Posted & { readonly tensor: Tensor })[] = [];
  private readonly device: Device;
  private readonly tensor: Tensor;
  private readonly plan: AllReducePlan;
  private readonly sent: { readonly bytes: number; readonly messages: number };

  /** `room`: memory of the device for the parts of others, not needed between two reductions. */
  constructor(
    { device, staging, room }: { device: Device; staging: Staging; room: (bytes: number) => Memory },
    rank: number,
    plan: AllReducePlan,
    tensor: Tensor,
  ) {
    const group = plan.groups.find((members) => members.includes(rank))!;
    const [first] = group;
    this.device = device;
    this.plan = plan;
    this.tensor = tensor;
    this.leads = rank === first;
    const others = this.leads ? group.slice(1) : [];
    this.awaited = this.leads ? others : [first];
    const bytes = device.messageBytes(tensor, tensor.box);
    const rooms = staging.rooms([bytes, ...others.map(() => bytes)]);
    this.own = { peer: first, room: rooms[0], message: device.message(tensor, tensor.box, rooms[0]) };
    // What all ranks of the group send, less what the others do.
    const one = transferBytes(tensor, tensor.box);
    const all = allReduceBytes(group.length, one);
    const rest = (group.length - 1) * one;
    this.sent = this.leads ? { bytes: all - rest, messages: group.length - 1 } : { bytes: one, messages: 1 };
    if (others.length === 0 || isEmpty(tensor.box)) return;
    const type = { shape: tensor.shape, dtype: tensor.dtype, plain: true };
    const each = Math.ceil(device.storageBytes(type, tensor.box) / 64) * 64;
    const memory = room(each * others.length);
    this.parts = others.map((peer, i) => {
      const part = device.tensor(memory, each * i, type, tensor.box);
      const message = device.message(part, tensor.box, rooms[i + 1]);
      return { peer, room: rooms[i + 1], tensor: part, message };
    });
  }

  /** Parts travel to the first rank. */
  start(mpi: MpiLibrary, tag: number, traffic: Traffic): Batch {
    const batch = mpi.batch();
    for (const { peer, room, message } of this.parts)
      mpi.receive(batch, room.address, message.bytes, peer, tag);
    if (!this.leads) {
      const { peer, room, message } = this.own;
      message.pack();
      mpi.send(batch, room.address, message.bytes, peer, tag);
    }
    traffic.allReduceBytes += this.sent.bytes;
    traffic.messages += this.sent.messages;
    return batch;
  }

  /** The first rank combines; the result travels back. */
  middle(mpi: MpiLibrary, tag: number): Batch {
    const batch = mpi.batch();
    const { peer, room, message } = this.own;
    if (!this.leads) {
      mpi.receive(batch, room.address, message.bytes, peer, tag);
      return batch;
    }
    if (this.parts.length === 0) return batch;
    for (const part of this.parts) part.message.unpack();
    this.device.combine([this.tensor, ...this.parts.map(({ tensor }) => tensor)], this.plan.combine);
    message.pack();
    for (const part of this.parts) mpi.send(batch, room.address, message.bytes, part.peer, tag);
    return batch;
  }

  finish(): void {
    if (!this.leads) this.own.message.unpack();
  }
}
