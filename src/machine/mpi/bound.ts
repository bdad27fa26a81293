import type { Box } from '../../core/index.ts';
import { type ExchangePlan, transferBytes } from '../../plan/index.ts';
import type { Traffic } from '../communicator.ts';
import type { Device, Message, NativeRoom, Tensor } from '../device.ts';
import type { Batch, MpiLibrary } from './library.ts';
import type { Staging } from './staging.ts';

// Exchanges of one rank, bound to its tensors and to memory for messages: what can be known before is found out once.

/** A message to or from another rank. */
export interface Posted {
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
