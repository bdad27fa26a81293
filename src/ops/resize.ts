import {
  add,
  type Box,
  boxVolume,
  type Call,
  defineOp,
  dimIndex,
  fail,
  follow,
  forEachIndex,
  get,
  type Loop,
  type Op,
  type Range,
  range,
  type Shape,
  showShape,
  type TensorType,
  type Value,
} from '../core/index.ts';
import { needInputs, single } from './common.ts';

// Resizing of named axes, and its transpose. Along an axis of n inputs and m outputs, output o reads (half-pixel centres):
//
//   nearest   i = min(floor((o + 1/2) * n/m), n - 1)
//   linear    s = max((o + 1/2) * n/m - 1/2, 0);  low = floor(s), high = min(low + 1, n - 1)
//             y = (1 - (s - low)) * x[low] + (s - low) * x[high]
//
// Positions are computed in whole numbers, so every rank and every device takes the same ones.

export type ResizeKind = 'nearest' | 'linear';
/** `size`: the sizes of the result along the axes that are resized. */
export type ResizeAttrs = { readonly kind: ResizeKind; readonly size: Readonly<Record<string, number>> };

/** Inputs that one output reads along an axis: `low` with weight 1 - fraction, `high` with weight fraction. */
export interface Taps {
  readonly low: number;
  readonly high: number;
  readonly fraction: number;
}

export function resizeTaps(kind: ResizeKind, o: number, n: number, m: number): Taps {
  if (kind === 'nearest') {
    const at = Math.min(Math.floor(((2 * o + 1) * n) / (2 * m)), n - 1);
    return { low: at, high: at, fraction: 0 };
  }
  const s = Math.max((2 * o + 1) * n - m, 0); // in units of 1 / 2m
  const low = Math.floor(s / (2 * m));
  return { low, high: Math.min(low + 1, n - 1), fraction: (s - low * 2 * m) / (2 * m) };
}

/** Inputs that the outputs [a, b) read along an axis. */
export function resizeReads(kind: ResizeKind, outputs: Range, n: number, m: number): Range {
  if (outputs.end <= outputs.start) return range(0, 0);
  return range(resizeTaps(kind, outputs.start, n, m).low, resizeTaps(kind, outputs.end - 1, n, m).high + 1);
}

/** Outputs that read any of the inputs [a, b) along an axis: the inverse of {@link resizeReads}. */
export function resizeReadBy(kind: ResizeKind, inputs: Range, n: number, m: number): Range {
  if (inputs.end <= inputs.start) return range(0, 0);
  return range(
    firstOf(m, (o) => resizeTaps(kind, o, n, m).high >= inputs.start),
    firstOf(m, (o) => resizeTaps(kind, o, n, m).low >= inputs.end),
  );
}

/** First number below m for which a condition holds that stays true once it is true; m if none. */
function firstOf(m: number, holds: (o: number) => boolean): number {
  let low = 0;
  let high = m;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function resizedType(inputs: readonly TensorType[], size: ResizeAttrs['size'], where: string): TensorType {
  needInputs(inputs, 1, where);
  const [x] = inputs;
  for (const [axis, n] of Object.entries(size)) {
    if (dimIndex(x.shape, axis) < 0)
      fail({ where, problem: `no dimension "${axis}" in the input`, found: showShape(x.shape) });
    if (!Number.isSafeInteger(n) || n < 1)
      fail({
        where,
        problem: `size along "${axis}"`,
        expected: 'a whole number of at least 1',
        found: String(n),
      });
  }
  return {
    shape: x.shape.map((dim) => ({ name: dim.name, size: size[dim.name] ?? dim.size })),
    dtype: x.dtype,
  };
}

function resizeLoops({ inputs: [x], outputs: [y], attrs }: Call<ResizeAttrs>): Loop[] {
  return y.shape.map(({ name, size }, i): Loop => {
    if (attrs.size[name] === undefined) return { dim: name, size, split: 'pass' };
    const from = x.shape[i].size;
    const cuts = (c: readonly number[]) => follow(c, size, (cut) => Math.round((cut * size) / from));
    return { dim: name, size, split: 'window', follows: from === size ? undefined : { size: from, cuts } };
  });
}

/** Applies a range rule to the resized axes of a loop box. */
function mapAxes(attrs: ResizeAttrs, loop: Box, rule: (r: Range, i: number) => Range, shape: Shape): Box {
  return loop.map((r, i) => (attrs.size[shape[i].name] === undefined ? r : rule(r, i)));
}

/** Calls `visit(input, weight)` for every input that one output reads. */
function forEachSource(
  { kind, size }: ResizeAttrs,
  inputs: Shape,
  outputs: Shape,
  output: readonly number[],
  visit: (input: readonly number[], weight: number) => void,
): void {
  const taps = output.map((o, i): Taps => {
    if (size[inputs[i].name] === undefined) return { low: o, high: o, fraction: 0 };
    return resizeTaps(kind, o, inputs[i].size, outputs[i].size);
  });
  const corners = taps.map((tap) => range(0, tap.high === tap.low ? 1 : 2));
  forEachIndex(corners, (corner) => {
    const input = taps.map((tap, i) => (corner[i] === 0 ? tap.low : tap.high));
    const weights = taps.map((tap, i) => {
      if (tap.high === tap.low) return 1;
      return corner[i] === 0 ? 1 - tap.fraction : tap.fraction;
    });
    visit(
      input,
      weights.reduce((product, weight) => product * weight, 1),
    );
  });
}

const taps = ({ kind, size }: ResizeAttrs): number =>
  kind === 'nearest' ? 1 : 2 ** Object.keys(size).length;
const sizesOf = (shape: Shape, axes: readonly string[]): Record<string, number> =>
  Object.fromEntries(shape.filter((dim) => axes.includes(dim.name)).map((dim) => [dim.name, dim.size]));

export const resizeOp: Op<ResizeAttrs> = defineOp<ResizeAttrs>({
  name: 'resize',
  doc: 'y = x at other sizes: nearest voxel or linear between voxels, half-pixel centres.',
  form: 'kernel',
  role: 'compute',
  images: { inputs: [0], output: false },
  weight: 'none',
  combine: 'sum',
  infer: (inputs, { size }, where) => [resizedType(inputs, size, where)],
  grad: (call, [g]) => {
    const { kind, size } = call.attrs;
    return [resizeGradRaw(g!, kind, sizesOf(call.inputs[0].shape, Object.keys(size)))];
  },
  loops: resizeLoops,
  reads({ attrs, inputs: [x], outputs: [y] }, loop) {
    const rule = (r: Range, i: number) => resizeReads(attrs.kind, r, x.shape[i].size, y.shape[i].size);
    return [mapAxes(attrs, loop, rule, y.shape)];
  },
  writes: (_call, loop) => [loop],
  cost: (call, loop) => ({ flops: 2 * taps(call.attrs) * boxVolume(loop) }),
  reference({ attrs }, loop, [x], [y]) {
    forEachIndex(loop, (output) => {
      forEachSource(attrs, x.shape, y.shape, output, (input, weight) =>
        add(y, output, weight * get(x, input)),
      );
    });
  },
});

export const resizeGradOp: Op<ResizeAttrs> = defineOp<ResizeAttrs>({
  name: 'resize_grad',
  doc: 'dx[i] = sum of dy[o] times the weight with which output o of resize reads input i. Input: dy; size: that of dx.',
  form: 'kernel',
  role: 'compute',
  images: { inputs: [0], output: false },
  weight: 'none',
  combine: 'sum',
  infer: (inputs, { size }, where) => [resizedType(inputs, size, where)],
  grad: (call, [g]) => {
    const { kind, size } = call.attrs;
    return [resize(g!, kind, sizesOf(call.inputs[0].shape, Object.keys(size)))];
  },
  loops: resizeLoops,
  reads({ attrs, inputs: [dy], outputs: [dx] }, loop) {
    const rule = (r: Range, i: number) => resizeReadBy(attrs.kind, r, dx.shape[i].size, dy.shape[i].size);
    return [mapAxes(attrs, loop, rule, dx.shape)];
  },
  writes: (_call, loop) => [loop],
  cost: (call, loop) => ({ flops: 2 * taps(call.attrs) * boxVolume(loop) }),
  reference(call, loop, [dy], [dx]) {
    const [box] = resizeGradOp.reads(call, loop);
    forEachIndex(box, (output) => {
      forEachSource(call.attrs, dx.shape, dy.shape, output, (input, weight) => {
        if (loop.every((r, i) => input[i] >= r.start && input[i] < r.end))
          add(dx, input, weight * get(dy, output));
      });
    });
  },
});

/** x resized along the axes named to the sizes given. */
export function resize(x: Value, kind: ResizeKind, size: Readonly<Record<string, number>>): Value {
  return single(x.graph.add(resizeOp, { kind, size }, [x]));
}

/** The transpose of {@link resize}: from a gradient of its output to one of its input, whose sizes are given. */
export function resizeGradRaw(dy: Value, kind: ResizeKind, size: Readonly<Record<string, number>>): Value {
  return single(dy.graph.add(resizeGradOp, { kind, size }, [dy]));
}
