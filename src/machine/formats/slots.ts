import type { Box, Shape } from '../../core/index.ts';

// Five canonical dimensions: n (batch), d, h, w (space), c (channel), 0 to 4. Kernels of every fast device run over these; which
// named dimension takes which is worked out here.

/** Five numbers by canonical dimension. */
export type Five = readonly [number, number, number, number, number];

/** Which canonical dimension each named dimension of an iteration takes. */
export type Slots = ReadonlyMap<string, number>;

export const SLOT_N = 0;
export const SLOT_C = 4;

/** Most dimensions that can be told apart. */
export const MOST_DIMS = 5;

/** Last dimension to c, first to n when there are three or more, the others to w, h, d from the right. */
export function defaultSlots(shape: Shape): Slots {
  const slots = new Map<string, number>();
  const n = shape.length;
  shape.forEach((dim, i) => {
    if (i === n - 1) slots.set(dim.name, SLOT_C);
    else if (i === 0 && n >= 3) slots.set(dim.name, SLOT_N);
    else slots.set(dim.name, SLOT_C - (n - 1 - i));
  });
  return slots;
}

/** Last dimension to c, the one before to w, and so on: an order that all ranks up to five share. */
export function rightAligned(shape: Shape): Slots {
  return new Map(shape.map((dim, i) => [dim.name, MOST_DIMS - shape.length + i]));
}

/**
 * Slots of an image: the channel to c, spatial axes to w, h, d from the right; a first dimension that no window slides over,
 * or a fourth one, to n.
 */
export function imageSlots(shape: Shape, spatial: readonly string[]): Slots {
  const outer = shape.slice(0, -1);
  const slots = new Map<string, number>([[shape[shape.length - 1].name, SLOT_C]]);
  const batch = outer.length > 0 && (outer.length === 4 || !spatial.includes(outer[0].name)) ? 1 : 0;
  outer.forEach((dim, i) => {
    slots.set(dim.name, i < batch ? SLOT_N : SLOT_C - outer.length + i);
  });
  return slots;
}

/** Five numbers by slot; absent dimensions get `absent`. */
export function five(shape: Shape, slots: Slots, value: (i: number) => number, absent: number): Five {
  const result: [number, number, number, number, number] = [absent, absent, absent, absent, absent];
  shape.forEach((dim, i) => {
    const slot = slots.get(dim.name);
    if (slot !== undefined) result[slot] = value(i);
  });
  return result;
}

/** A box of an iteration over `shape`, in the words of its dimensions and of the canonical ones. */
export interface Region {
  readonly shape: Shape;
  readonly box: Box;
  readonly slots: Slots;
}
