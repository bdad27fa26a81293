import { type Box, fail, type Shape, showShape } from '../../core/index.ts';
import type { Strides } from './blocked.ts';
import { type Five, five, SLOT_C, type Slots } from './slots.ts';

/** A stored box seen by slots: what kernels need to know of where its elements lie. */
export interface Place {
  /** Channels in a block; 1 where they lie plainly. */
  readonly block: number;
  readonly start: Five;
  readonly size: Five;
  readonly global: Five;
  /** Elements; of the channel: of a block of them. */
  readonly stride: Five;
}

/** Only the dimension in slot c may lie in blocks. `device` complains. */
export function placeOf(
  tensor: Strides & { readonly shape: Shape; readonly box: Box },
  slots: Slots,
  device: string,
): Place {
  const { shape, box, strides } = tensor;
  const last = shape.length - 1;
  const blocked = tensor.block > 1 && slots.get(shape[last].name) === SLOT_C;
  // A blocked last dimension of one block is contiguous: its elements may take any slot.
  const extent = last < 0 ? 0 : box[last].end - box[last].start;
  if (tensor.block > 1 && !blocked && extent > tensor.block)
    fail({
      where: `device ${device}`,
      problem: `"${shape[last].name}" of ${showShape(shape)} lies in blocks and must be the last dimension here`,
      hint: 'Transpose the other operand instead',
    });
  return {
    block: blocked ? tensor.block : 1,
    start: five(shape, slots, (i) => box[i].start, 0),
    size: five(shape, slots, (i) => box[i].end - box[i].start, 1),
    global: five(shape, slots, (i) => shape[i].size, 1),
    stride: five(shape, slots, (i) => (i === last && tensor.block > 1 && !blocked ? 1 : strides[i]), 0),
  };
}

/** A region's box by slots. */
export function boxBySlots(shape: Shape, box: Box, slots: Slots): { start: Five; size: Five; global: Five } {
  return {
    start: five(shape, slots, (i) => box[i].start, 0),
    size: five(shape, slots, (i) => box[i].end - box[i].start, 1),
    global: five(shape, slots, (i) => shape[i].size, 1),
  };
}
