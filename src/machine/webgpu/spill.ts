import { fail } from '../../core/index.ts';
import type { Spill, Tensor, Ticket } from '../device.ts';
import type { Queue } from './queue.ts';
import type { GpuTensor } from './tensors.ts';

/** Tensors that make way, as arrays of the host. */
export function hostSpill(queue: Queue, bytes: number): Spill {
  const kept = new Map<number, Promise<Uint8Array>>();
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
  const placed = (tensor: Tensor) => tensor as GpuTensor;
  return {
    bytes,
    write(tensor, offset) {
      const { address, bytes: wanted } = placed(tensor);
      const moved = queue.download(address, wanted);
      kept.set(offset, moved);
      return ticket(moved);
    },
    read(tensor, offset) {
      const { address, bytes: wanted } = placed(tensor);
      const from = kept.get(offset);
      const moved = (async () => {
        const data = await from;
        if (data?.length !== wanted)
          fail({
            where: 'device webgpu',
            problem: `nothing of this size was spilled to ${offset}`,
            expected: `${wanted} bytes`,
            found: `${data?.length ?? 'none'}`,
          });
        queue.upload(address, data!);
      })();
      return ticket(moved);
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
