import { type Box, intersect, reach, type Shape, type Window } from '../../core/index.ts';
import type { Windows } from '../../ops/index.ts';
import type { Frame, Frames, Held } from '../frames.ts';
import { sameNumbers, type Tensor } from '../types.ts';

// Frames that windows read. Output o reads the inputs o * stride - padLow + dilation * k.

/** A dimension without a window is one whose window is a single element. */
const POINT: Window = { kernel: 1, stride: 1, dilation: 1, padLow: 0, padHigh: 0 };

/** The window of each dimension, in order. */
export const windowsOf = (shape: Shape, windows: Windows): Window[] =>
  shape.map(({ name }) => windows[name] ?? POINT);

/** The frame that outputs over a frame read, zeros outside of the volume included. */
export function readDown(frame: Frame, windows: readonly Window[]): Frame {
  return {
    starts: frame.starts.map((start) => start.map((at, i) => at * windows[i].stride - windows[i].padLow)),
    sizes: frame.sizes.map((size, i) => (size - 1) * windows[i].stride + reach(windows[i])),
  };
}

/**
 * The frame, in coordinates of outputs that stand `stride` apart, from which a transposed window takes a frame of inputs: input q
 * takes the outputs at q + padLow - dilation * k.
 */
function spreadFrame(frame: Frame, windows: readonly Window[]): Frame {
  return {
    starts: frame.starts.map((start) =>
      start.map((at, i) => at + windows[i].padLow - windows[i].dilation * (windows[i].kernel - 1)),
    ),
    sizes: frame.sizes.map((size, i) => size + windows[i].dilation * (windows[i].kernel - 1)),
  };
}

/** Outputs that a transposed window reads, and how they stand apart in its frame. */
export interface Spread {
  readonly tensor: Tensor;
  /** Zeros between, before and after its elements; all 0 where the tensor has them already. */
  readonly strides: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** What a transposed window reads of a value, of which `boxes` are read, for a frame of its result. */
export function readUp(
  frames: Frames,
  held: Held,
  boxes: readonly Box[],
  frame: Frame,
  windows: readonly Window[],
): Spread {
  const wanted = spreadFrame(frame, windows);
  const strides = windows.map(({ stride }) => stride);
  // Outputs whose places lie in the frame.
  const first = wanted.starts.map((start) => start.map((at, d) => Math.ceil(at / strides[d])));
  const low = first.map((at, rank) => at.map((n, d) => n * strides[d] - wanted.starts[rank][d]));
  const sizes = wanted.sizes.map((size, d) =>
    Math.max(...low.map((before) => Math.max(1, Math.ceil((size - before[d]) / strides[d])))),
  );
  const read = frames.fetchOpen(held, { frame: { starts: first, sizes }, boxes, fill: 0 });
  const { tensor } = read;
  const span = sizes.map((n, d) => (n - 1) * strides[d] + 1);
  if (low.every((before) => sameNumbers(before, low[0]))) {
    const after = (n: number, d: number): number => wanted.sizes[d] - low[0][d] - n;
    return {
      tensor,
      strides,
      low: low[0].map((n, d) => n + read.low[d] * strides[d]),
      high: span.map((n, d) => after(n, d) + read.high[d] * strides[d]),
    };
  }
  // Ranks begin at other places between two outputs: zeros are put between them first, then each takes its frame.
  const none = strides.map(() => 0);
  const between = strides.map((n) => n - 1);
  const starts = first.map((at) => at.map((n, d) => n * strides[d]));
  const apart: Held = {
    ...held,
    tensor: frames.writer.pad(frames.writer.pad(tensor, 0, read.low, read.high), 0, none, none, between),
    starts,
    sizes: span,
    boxes: boxOf({ starts, sizes: span }),
    outside: 0,
  };
  const common = boxOf(wanted).map((box, rank) => intersect(box, apart.boxes[rank]));
  return {
    tensor: frames.fetch(apart, { frame: wanted, boxes: common, fill: 0 }),
    strides: strides.map(() => 1),
    low: none,
    high: none,
  };
}

/** All of a frame, by rank. */
export const boxOf = ({ starts, sizes }: Frame): Box[] =>
  starts.map((start) => start.map((at, i) => ({ start: at, end: at + sizes[i] })));
