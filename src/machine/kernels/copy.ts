import { type Box, isEmpty } from '../../core/index.ts';
import { rightAligned } from '../formats/index.ts';
import type { Kernels } from './library.ts';
import { boxView, type KernelTensor, viewOf } from './storage.ts';
import type { Arguments } from './structs.ts';

/**
 * A copy of `box` (coordinates of `to`) whose dimension i of `from` is dimension `perm[i]` of `to`, moved by `shift`. Both have at
 * most five dimensions.
 */
export function prepareCopy(
  library: Kernels,
  args: Arguments,
  to: KernelTensor,
  from: KernelTensor,
  box: Box,
  moved: { readonly perm: readonly number[]; readonly shift: readonly number[] } = {
    perm: box.map((_, i) => i),
    shift: box.map(() => 0),
  },
): () => void {
  if (isEmpty(box)) return () => undefined;
  const toSlot = rightAligned(to.shape);
  const fromSlot = rightAligned(from.shape);
  const perm = [0, 1, 2, 3, 4];
  const shift = [0, 0, 0, 0, 0];
  // Slots that no dimension takes pair up in order.
  const takenTo = new Set(to.shape.map((dim) => toSlot.get(dim.name)!));
  const takenFrom = new Set(from.shape.map((dim) => fromSlot.get(dim.name)!));
  const spare = [0, 1, 2, 3, 4].filter((slot) => !takenTo.has(slot));
  for (const slot of [0, 1, 2, 3, 4]) if (!takenFrom.has(slot)) perm[slot] = spare.shift()!;
  moved.perm.forEach((target, i) => {
    const slot = fromSlot.get(from.shape[i].name)!;
    perm[slot] = toSlot.get(to.shape[target].name)!;
    shift[slot] = moved.shift[i];
  });
  const region = boxView({ shape: to.shape, box, slots: toSlot });
  const list = [
    args.viewAt(viewOf(to, toSlot)),
    args.viewAt(viewOf(from, fromSlot)),
    args.longs(region.start),
    args.longs(region.size),
    args.ints(perm),
    args.longs(shift),
  ];
  return () => library.call('hm_copy', ...list);
}
