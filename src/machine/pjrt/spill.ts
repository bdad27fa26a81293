import { fail } from '../../core/index.ts';
import type { Spill, Ticket } from '../device.ts';
import { arrayBytes } from './client.ts';
import { own, type PjrtTensor } from './tensors.ts';

/** Tensors that make way, as arrays of the host. */
export function hostSpill(
  bytes: number,
  device: {
    read(tensor: PjrtTensor): Promise<Uint8Array<ArrayBuffer>>;
    write(tensor: PjrtTensor, data: Uint8Array<ArrayBuffer>): void;
  },
): Spill {
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
      const moved = device.read(own(tensor));
      kept.set(offset, moved);
      return ticket(moved);
    },
    read(tensor, offset) {
      const wanted = arrayBytes(own(tensor));
      const from = kept.get(offset);
      return ticket(
        (async () => {
          const data = await from;
          if (data?.length !== wanted)
            return fail({
              where: 'device pjrt',
              problem: `nothing of this size was spilled to ${offset}`,
              expected: `${wanted} bytes`,
              found: `${data?.length ?? 'none'}`,
            });
          device.write(own(tensor), data.slice());
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
