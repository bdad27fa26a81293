import { type ExchangePlan, transferBytes } from '../../plan/index.ts';
import type { Device, HostRoom, Launch, Mark, Tensor, Transport } from '../device.ts';
import type { Traffic } from '../world.ts';
import type { Batch, Messages } from './library.ts';
import type { Rooms } from './staging.ts';

// Exchanges of one rank, bound to its tensors and to memory for messages: what can be known before is found out once.

/** A message to or from another rank, and its place in memory. */
export interface Posted {
  readonly peer: number;
  readonly room: HostRoom;
  readonly bytes: number;
}

/** A message that is sent, and one that comes. */
export type Sent = Posted & ReturnType<Transport['outgoing']>;
export type Received = Posted & ReturnType<Transport['incoming']>;

/** An exchange: `pack` and then `post` begin it, `finish` unpacks what has come. */
export class BoundExchange {
  /** Ranks that it waits for. */
  readonly awaited: readonly number[];
  private readonly sends: readonly Sent[];
  private readonly receives: readonly Received[];
  private readonly copies: readonly Launch[];
  private readonly device: Device;
  private readonly sent: { readonly bytes: number; readonly messages: number };

  constructor(
    device: Device,
    staging: Rooms,
    rank: number,
    plan: ExchangePlan,
    tensors: { readonly from: Tensor; readonly to: Tensor },
  ) {
    const { from, to } = tensors;
    const { transport } = device;
    this.device = device;
    const outgoing = plan.transfers.filter((t) => t.from === rank && t.to !== rank);
    const incoming = plan.transfers.filter((t) => t.to === rank && t.from !== rank);
    this.copies = plan.transfers
      .filter((t) => t.from === rank && t.to === rank)
      .map(({ box }) => device.copy(to, from, box));
    this.sent = {
      bytes: outgoing.reduce((sum, { box }) => sum + transferBytes(from, box), 0),
      messages: outgoing.length,
    };
    const parts = [
      ...outgoing.map(({ to: peer, box }) => ({ peer, box, bytes: transport.bytes(from, box) })),
      ...incoming.map(({ from: peer, box }) => ({ peer, box, bytes: transport.bytes(to, box) })),
    ];
    const rooms = staging.rooms(parts.map(({ bytes }) => bytes));
    const posted = parts.map((part, i) => ({ ...part, room: rooms[i] }));
    this.sends = posted
      .slice(0, outgoing.length)
      .map((part) => ({ ...part, ...transport.outgoing(from, part.box, part.room) }));
    this.receives = posted
      .slice(outgoing.length)
      .map((part) => ({ ...part, ...transport.incoming(to, part.box, part.room) }));
    this.awaited = [...new Set(parts.map(({ peer }) => peer))].sort((a, b) => a - b);
  }

  /** Packs what is sent; gives the mark after which `post` may be called: what was unpacked before has left its rooms too. */
  pack(): Mark {
    for (const { pack } of this.sends) pack();
    for (const copy of this.copies) copy.run();
    return this.device.mark();
  }

  post(messages: Messages, batch: Batch, tag: number, traffic: Traffic): void {
    for (const { peer, room, bytes } of this.receives)
      messages.receive(batch, room.address, bytes, peer, tag);
    for (const { peer, room, bytes } of this.sends) messages.send(batch, room.address, bytes, peer, tag);
    traffic.exchangeBytes += this.sent.bytes;
    traffic.messages += this.sent.messages;
  }

  finish(): void {
    for (const { unpack } of this.receives) unpack();
  }
}
