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

/** Which canonical dimensions a tensor has. */
export function presentIn(shape: Shape, slots: Slots): boolean[] {
  const present = [false, false, false, false, false];
  for (const dim of shape) present[slots.get(dim.name)!] = true;
  return present;
}

/** The region without its channels: one place a position. */
export function positions(region: Region): Region {
  return {
    ...region,
    box: region.box.map((r, i) => (i === region.box.length - 1 ? { start: 0, end: 1 } : r)),
  };
}

/** Which dimension of another tensor each dimension of one is, and by how much its coordinates are larger there. */
export interface Moved {
  readonly perm: readonly number[];
  readonly shift: readonly number[];
}

/** A move in row-major slots: slot i of `from` is slot `perm[i]` of `to`. Slots that no dimension takes pair up in order. */
export function movedSlots(to: Shape, from: Shape, moved: Moved): { perm: number[]; shift: number[] } {
  const [toSlot, fromSlot] = [rightAligned(to), rightAligned(from)];
  const perm = [0, 1, 2, 3, 4];
  const shift = [0, 0, 0, 0, 0];
  const taken = (slots: Slots) => new Set(slots.values());
  const spare = perm.filter((slot) => !taken(toSlot).has(slot));
  for (const slot of [...perm]) if (!taken(fromSlot).has(slot)) perm[slot] = spare.shift()!;
  moved.perm.forEach((target, i) => {
    const slot = fromSlot.get(from[i].name)!;
    perm[slot] = toSlot.get(to[target].name)!;
    shift[slot] = moved.shift[i];
  });
  return { perm, shift };
}
