import { type Box, type DType, isEmpty, type Range, type Shape } from '../core/index.ts';
import { sameNumbers, type Tensor } from './types.ts';
import type { Padded, Writer } from './writer.ts';

// One program runs on all ranks, so a tensor has the same sizes on each, though ranks own blocks of their own places and sizes. A
// *frame* is where such a tensor lies: it begins at coordinates of the rank's own and is as large as the largest needs. Of what a
// frame holds, the rank's box is true; the rest is one known number, or whatever came out there.
//
//   held over [s, s + n)                 a value that begins at s = starts[rank] and holds its box
//   wanted over [t, t + m), box b        b as it is, `fill` around it
//   delta = t - s                        the same on all ranks: slice and pad; else: pad, then a slice from a table's number
//
// With one rank all of it is known when the text is written, and no number comes from a table.

/** Where a tensor lies on each rank. */
export interface Frame {
  /** Coordinates at which it begins, by rank, then by dimension; may lie outside of the volume. */
  readonly starts: readonly (readonly number[])[];
  readonly sizes: readonly number[];
}

/** A tensor of the program that stands for a value of the graph. */
export interface Held extends Frame {
  readonly tensor: Tensor;
  readonly shape: Shape;
  readonly dtype: DType;
  /** What is true of it, by rank. */
  readonly boxes: readonly Box[];
  /** What stands outside of the boxes: a number, or anything. */
  readonly outside: number | 'anything';
}

/** What is wanted of a value: true over the boxes; the rest `fill`, or anything where it is absent. */
export interface Wanted {
  readonly frame: Frame;
  readonly boxes: readonly Box[];
  readonly fill?: number;
}

/**
 * The frame of boxes that are margins wider than what ranks own: it begins as far before the own box on every rank, so that frames of
 * neighbouring tensors differ alike everywhere. `own` is boxes where there is nothing else to go by.
 */
export function frameOf(boxes: readonly Box[], own: readonly Box[] = boxes): Frame {
  const busy = boxes.flatMap((box, rank) => (isEmpty(box) ? [] : [rank]));
  const dims = boxes[0].map((_, i) => i);
  if (busy.length === 0)
    return {
      starts: boxes.map((box) => box.map((r) => r.start)),
      sizes: dims.map((i) => Math.max(...boxes.map((box) => box[i].end - box[i].start))),
    };
  const before = dims.map((i) => Math.max(...busy.map((rank) => own[rank][i].start - boxes[rank][i].start)));
  const starts = own.map((box) => box.map((r, i) => r.start - before[i]));
  return {
    starts,
    sizes: dims.map((i) => Math.max(...busy.map((rank) => boxes[rank][i].end - starts[rank][i]))),
  };
}

const cut = (r: Range, start: number, size: number): Range => ({
  start: Math.max(r.start, start),
  end: Math.max(Math.min(r.end, start + size), r.start, start),
});

function whole(tensor: Tensor): Padded {
  const none = tensor.sizes.map(() => 0);
  return { tensor, low: none, high: none };
}

/** Dimensions along which something else than `fill` may stand outside of the boxes, once a value lies in a frame. */
function unfenced(held: Held, frame: Frame, boxes: readonly Box[], fill: number): number[] {
  const standing = boxes.map((_, rank) =>
    frame.sizes.map((size, i) => {
      const start = held.starts[rank][i];
      const covered = Object.is(held.outside, fill)
        ? held.boxes[rank][i]
        : { start, end: start + held.sizes[i] };
      return cut(covered, frame.starts[rank][i], size);
    }),
  );
  const open = (i: number): boolean =>
    boxes.some((box, rank) => {
      if (isEmpty(box)) return true;
      if (isEmpty(standing[rank])) return false;
      const { start, end } = standing[rank][i];
      return box[i].start > start || box[i].end < end;
    });
  return [...frame.sizes.keys()].filter(open);
}

/** Moves values between frames, and knows the numbers of ranks. */
export class Frames {
  readonly writer: Writer;
  readonly ranks: number;
  private partition: Tensor | undefined;
  private readonly known = new Map<string, Tensor>();

  constructor(writer: Writer, ranks: number) {
    this.writer = writer;
    this.ranks = ranks;
  }

  /** A number of the rank's own as a scalar of i32. */
  perRank(numbers: readonly number[]): Tensor {
    const { writer } = this;
    if (numbers.every((n) => n === numbers[0])) return writer.constant('i32', numbers[0]);
    const key = numbers.join();
    const known = this.known.get(key);
    if (known) return known;
    this.partition ??= writer.partition();
    const table = writer.table('i32', [this.ranks], numbers);
    const scalar = writer.reshape(writer.dynamicSlice(table, [this.partition], [1]), []);
    this.known.set(key, scalar);
    return scalar;
  }

  /** A number of the rank's own everywhere. */
  perRankOver(numbers: readonly number[], sizes: readonly number[]): Tensor {
    const { writer } = this;
    if (numbers.every((n) => n === numbers[0])) return writer.constant('i32', numbers[0], sizes);
    return writer.broadcast(this.perRank(numbers), sizes, []);
  }

  /** Global coordinates of a frame along a dimension, as i32 over `sizes`, of which it is dimension `at`. */
  coordinates(frame: Frame, dim: number, sizes: readonly number[], at: number): Tensor {
    const { writer } = this;
    const from = frame.starts.map((start) => start[dim]);
    const counted = writer.iota('i32', sizes, at);
    if (from.every((n) => n === 0)) return counted;
    return writer.binary('add', counted, this.perRankOver(from, sizes));
  }

  /** A value in another frame. */
  fetch(held: Held, wanted: Wanted): Tensor {
    return this.padded(this.fetchOpen(held, wanted), wanted);
  }

  /** The same for an operation that puts `fill` around its operand itself. */
  fetchOpen(held: Held, { frame, boxes, fill }: Wanted): Padded {
    const around = fill ?? (held.outside === 'anything' ? 0 : held.outside);
    const placed = this.place(held, frame, boxes, around);
    if (fill === undefined) return placed;
    const open = boxes.every(isEmpty) ? [] : unfenced(held, frame, boxes, fill);
    if (open.length === 0) return placed;
    const mask = this.inside(frame, boxes, open);
    const { writer } = this;
    const tensor = this.padded(placed, { frame, boxes, fill });
    return whole(writer.select(mask, tensor, writer.constant(tensor.element, fill, frame.sizes)));
  }

  private padded({ tensor, low, high }: Padded, { fill = 0 }: Wanted): Tensor {
    return this.writer.pad(tensor, fill, low, high);
  }

  /** The held tensor under the frame; `fill` where it does not reach. */
  private place(held: Held, frame: Frame, boxes: readonly Box[], fill: number): Padded {
    const { writer } = this;
    const { sizes } = frame;
    const busy = boxes.flatMap((box, rank) => (isEmpty(box) ? [] : [rank]));
    const nothing = (): Padded => whole(writer.constant(held.tensor.element, fill, sizes));
    if (busy.length === 0) return nothing();
    const deltas = sizes.map((_, i) => frame.starts.map((start, rank) => start[i] - held.starts[rank][i]));
    const one = deltas.map((all) => {
      const first = all[busy[0]];
      return busy.every((rank) => all[rank] === first) ? first : undefined;
    });
    // Where all move alike: what lies under the frame.
    const from = one.map((delta) => Math.max(0, delta ?? 0));
    const to = one.map((delta, i) =>
      delta === undefined ? held.sizes[i] : Math.min(held.sizes[i], delta + sizes[i]),
    );
    if (from.some((at, i) => at >= to[i])) return nothing();
    const tensor = writer.slice(held.tensor, from, to);
    const least = deltas.map((all) => Math.min(...busy.map((rank) => all[rank])));
    const most = deltas.map((all) => Math.max(...busy.map((rank) => all[rank])));
    const low = least.map((delta) => Math.max(0, -delta));
    const high = most.map((delta, i) => Math.max(0, delta + sizes[i] - held.sizes[i]));
    if (one.every((delta) => delta !== undefined)) return { tensor, low, high };
    const starts = one.map((delta, i) =>
      delta === undefined
        ? this.perRank(deltas[i].map((own, rank) => (busy.includes(rank) ? own + low[i] : 0)))
        : writer.constant('i32', 0),
    );
    return whole(writer.dynamicSlice(writer.pad(tensor, fill, low, high), starts, sizes));
  }

  /** Truth values: which of a frame's positions lie in the boxes along some dimensions. */
  inside(frame: Frame, boxes: readonly Box[], dims: readonly number[]): Tensor {
    const { writer } = this;
    const tests = dims.flatMap((i) => {
      const size = frame.sizes[i];
      const low = boxes.map((box, rank) => (isEmpty(box) ? 0 : box[i].start - frame.starts[rank][i]));
      const high = boxes.map((box, rank) => (isEmpty(box) ? 0 : box[i].end - frame.starts[rank][i]));
      const at = writer.iota('i32', [size], 0);
      const along: Tensor[] = [];
      if (low.some((n) => n > 0)) along.push(writer.compare('GE', at, this.perRankOver(low, [size])));
      if (high.some((n) => n < size)) along.push(writer.compare('LT', at, this.perRankOver(high, [size])));
      return along.map((test) => writer.broadcast(test, frame.sizes, [i]));
    });
    return tests.length === 0
      ? writer.constant('i1', 1, frame.sizes)
      : tests.reduce((all, test) => writer.binary('and', all, test));
  }
}

/** Whether two frames lie alike. */
export const sameFrame = (a: Frame, b: Frame): boolean =>
  sameNumbers(a.sizes, b.sizes) && a.starts.every((start, rank) => sameNumbers(start, b.starts[rank]));
