import { fail } from '../core/index.ts';
import type { Spill, Tensor, Ticket } from './device.ts';

/** How the bytes of tensors come to the host and back. */
export interface HostMoves {
  /** The device, for errors. */
  readonly where: string;
  /** Bytes of a tensor. */
  bytes(tensor: Tensor): number;
  read(tensor: Tensor): Promise<Uint8Array<ArrayBuffer>>;
  /** The data stay as they are. */
  write(tensor: Tensor, data: Uint8Array<ArrayBuffer>): void;
}

/** Tensors that make way, as arrays of the host. */
export function hostSpill(bytes: number, device: HostMoves): Spill {
  const kept = new Map<number, Promise<Uint8Array<ArrayBuffer>>>();
  const moves = new Map<Ticket, { done: boolean; error?: unknown }>();
  let next = 0;
  const ticket = (move: Promise<unknown>): Ticket => {
    const state: { done: boolean; error?: unknown } = { done: false };
    moves.set(++next, state);
    move.then(
      () => {
        state.done = true;
      },
      (error: unknown) => {
        state.error = error;
      },
    );
    return next;
  };
  return {
    bytes,
    write(tensor, offset) {
      const moved = device.read(tensor);
      kept.set(offset, moved);
      return ticket(moved);
    },
    read(tensor, offset) {
      const wanted = device.bytes(tensor);
      const from = kept.get(offset);
      return ticket(
        (async () => {
          const data = await from;
          if (data?.length !== wanted)
            return fail({
              where: device.where,
              problem: `nothing of this size was spilled to ${offset}`,
              expected: `${wanted} bytes`,
              found: `${data?.length ?? 'none'}`,
            });
          device.write(tensor, data);
        })(),
      );
    },
    settled(number) {
      const state = moves.get(number);
      if (state?.error !== undefined) throw state.error;
      if (state?.done) moves.delete(number);
      return state === undefined || state.done;
    },
    close: () => kept.clear(),
  };
}
