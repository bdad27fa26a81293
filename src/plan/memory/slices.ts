import { type Box, isEmpty, length, type TensorType } from '../../core/index.ts';
import { transferBytes } from '../program.ts';

/** An all-reduce of so many bytes and more is shared out among the ranks of its group. */
export const SLICED = 2 ** 15;

/** A part of a tensor, and the rank that combines it. */
export interface Slice {
  readonly box: Box;
  readonly at: number;
}

/**
 * Who combines what in an all-reduce of `box`: the first rank of the group a small tensor, every rank of it a slice of a large one.
 * So no rank gets more than its share of the bytes, however many there are, and small tensors take few messages. Either way every
 * rank but the one that combines sends its part and gets the result: as many bytes in all.
 */
export function slicesOf(type: TensorType, box: Box, group: readonly number[]): Slice[] {
  if (isEmpty(box) || group.length === 1) return [];
  if (transferBytes(type, box) < SLICED) return [{ box, at: group[0] }];
  const lengths = box.map(length);
  const along = lengths.indexOf(Math.max(...lengths));
  const cut = (i: number): number => box[along].start + Math.floor((i * lengths[along]) / group.length);
  return group
    .map((at, i) => ({ at, box: box.map((r, n) => (n === along ? { start: cut(i), end: cut(i + 1) } : r)) }))
    .filter((slice) => !isEmpty(slice.box));
}

/** Messages that all ranks of a group send for one all-reduce of `box`. */
export function allReduceMessages(type: TensorType, box: Box, group: readonly number[]): number {
  return slicesOf(type, box, group).length * 2 * (group.length - 1);
}
