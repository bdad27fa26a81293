import {
  add,
  type Box,
  boxVolume,
  type Call,
  type Cost,
  cutsDown,
  cutsUp,
  defineOp,
  dimIndex,
  fail,
  forEachIndex,
  get,
  type Loop,
  range,
  type Shape,
  showShape,
  type TensorType,
  type Value,
  type Window,
  windowOutput,
  windowReadBy,
  windowReads,
} from '../core/index.ts';
import { needInputs, single } from './common.ts';

// Convolution over any number of spatial axes, and its two transposes.
//
//   x        [batch..., space..., channel i]
//   weight   [kernel..., i, o]           one kernel dimension per spatial axis, in the order of `window`
//   y        [batch..., space'..., o]    y[p, o]   = sum over k, i of x[p*s - pad + d*k, i] * weight[k, i, o]
//   dx                                   dx[q, i]  = sum over k, o, p with q = p*s - pad + d*k of y[p, o] * weight[k, i, o]
//   dweight                              dw[k,i,o] = sum over p of x[p*s - pad + d*k, i] * y[p, o]
//
// All three are linear in each input, and the gradient of each is one of the others, so the family is closed.

/** Spatial axes in order, by name, with their windows. */
export type Windows = Readonly<Record<string, Window>>;

/** `channel`: name of the output's channel dimension; that of the weight unless given. */
export type ConvAttrs = { readonly window: Windows; readonly channel?: string };
/** `size`: the output's spatial sizes, which a stride leaves open. */
export type ConvTransposeAttrs = ConvAttrs & { readonly size: Readonly<Record<string, number>> };
/** `weight`: shape of the result. */
export type ConvWeightGradAttrs = { readonly window: Windows; readonly weight: Shape };

/** Refuses inputs that are no image and weight of a convolution. `channelAt` is the weight dimension that x's channels meet. */
function checkImage(x: TensorType, weight: Shape, window: Windows, meets: number, where: string): void {
  const axes = Object.keys(window);
  for (const axis of axes)
    if (dimIndex(x.shape, axis) < 0 || dimIndex(x.shape, axis) === x.shape.length - 1)
      fail({ where, problem: `no spatial dimension "${axis}" in the input`, found: showShape(x.shape), hint: 'The last dimension is the channel' });
  if (weight.length !== axes.length + 2)
    fail({
      where,
      problem: 'the weight has the wrong number of dimensions',
      expected: `[${axes.map((axis) => `kernel of ${axis}`).join(' ')} in out]`,
      found: showShape(weight),
    });
  axes.forEach((axis, i) => {
    if (weight[i].size !== window[axis].kernel)
      fail({ where, problem: `kernel size along "${axis}"`, expected: String(window[axis].kernel), found: `${weight[i].size} in the weight ${showShape(weight)}` });
  });
  const channel = x.shape[x.shape.length - 1];
  const other = weight[weight.length - 2 + meets];
  if (channel.size !== other.size)
    fail({ where, problem: `channels "${channel.name}" do not match weight dimension "${other.name}"`, expected: String(other.size), found: String(channel.size) });
}

/** Batch and spatial dimensions of an image-like output, with sizes mapped by `size`. */
function imageShape(x: Shape, channel: Shape[number], size: (axis: string, input: number) => number): Shape {
  return [...x.slice(0, -1).map((dim) => ({ name: dim.name, size: size(dim.name, dim.size) })), channel];
}

/** Loops: output dimensions (windows over space), then the contracted channel. */
function imageLoops(call: Call<ConvAttrs>, cuts: typeof cutsDown): Loop[] {
  const [x] = call.inputs;
  const y = call.outputs[0].shape;
  const loops = y.map((dim, i): Loop => {
    const window = call.attrs.window[dim.name];
    if (!window || i === y.length - 1) return { dim: dim.name, size: dim.size, split: 'pass' };
    const from = x.shape[i].size;
    return {
      dim: dim.name,
      size: dim.size,
      split: 'window',
      follows: window.stride === 1 ? undefined : { size: from, cuts: (c) => cuts(window, c, dim.size) },
    };
  });
  const channel = x.shape[x.shape.length - 1];
  return [...loops, { dim: channel.name, size: channel.size, split: 'sum' }];
}

/** Boxes read of the image and of the weight. `meets`: 0 where the image's channels are the weight's in, 1 its out. */
function imageReads(call: Call<ConvAttrs>, loop: Box, meets: 0 | 1, reads: typeof windowReads): Box[] {
  const [x, weight] = call.inputs;
  const n = x.shape.length;
  const image = x.shape.map((dim, i) => {
    if (i === n - 1) return loop[n];
    const window = call.attrs.window[dim.name];
    return window ? reads(window, loop[i], dim.size) : loop[i];
  });
  const kernel = weight.shape.slice(0, -2).map((dim) => range(0, dim.size));
  return [image, [...kernel, ...(meets === 0 ? [loop[n], loop[n - 1]] : [loop[n - 1], loop[n]])]];
}

/** Two operations per kernel tap of every (output, contracted channel) pair; taps of a transposed window are 1/stride of them. */
function contractionCost(call: Call<ConvAttrs>, loop: Box, transposed: boolean): Cost {
  const taps = Object.values(call.attrs.window).reduce(
    (product, w) => product * (transposed ? w.kernel / w.stride : w.kernel),
    1,
  );
  return { flops: 2 * taps * boxVolume(loop) };
}

/** Calls `visit(output, input)` for all pairs of an output and an input position that a window joins inside the volume. */
function forEachTap(
  window: Windows,
  dims: Shape,
  outputs: Box,
  inputSizes: readonly number[],
  visit: (output: readonly number[], input: readonly number[], tap: readonly number[]) => void,
): void {
  const axes = Object.keys(window);
  const at = axes.map((axis) => dimIndex(dims, axis));
  const taps: Box = axes.map((axis) => range(0, window[axis].kernel));
  const input: number[] = [];
  forEachIndex(outputs, (output) => {
    forEachIndex(taps, (tap) => {
      for (let i = 0; i < output.length; i++) input[i] = output[i];
      for (let i = 0; i < axes.length; i++) {
        const w = window[axes[i]];
        input[at[i]] = output[at[i]] * w.stride - w.padLow + w.dilation * tap[i];
        if (input[at[i]] < 0 || input[at[i]] >= inputSizes[at[i]]) return;
      }
      visit(output, input, tap);
    });
  });
}

export const conv = defineOp<ConvAttrs>({
  name: 'conv',
  doc: 'y[p, o] = sum over k, i of x[p*stride - pad + dilation*k, i] * weight[k, i, o]; zeros outside the volume.',
  pointwise: false,
  combine: 'sum',
  infer(inputs, { window, channel }, where) {
    needInputs(inputs, 2, where);
    const [x, weight] = inputs;
    checkImage(x, weight.shape, window, 0, where);
    const out = weight.shape[weight.shape.length - 1];
    const shape = imageShape(x.shape, { name: channel ?? out.name, size: out.size }, (axis, size) =>
      window[axis] ? windowOutput(window[axis], size, where, axis) : size,
    );
    return [{ shape, dtype: x.dtype }];
  },
  grad: (call, [g]) => {
    const [x, weight] = call.inputValues;
    return [
      convTransposeRaw(g!, weight, call.attrs.window, x.shape),
      convWeightGradRaw(x, g!, call.attrs.window, weight),
    ];
  },
  loops: (call) => imageLoops(call, cutsDown),
  reads: (call, loop) => imageReads(call, loop, 0, windowReads),
  writes: (call, loop) => [loop.slice(0, call.outputs[0].shape.length)],
  cost: (call, loop) => contractionCost(call, loop, false),
  reference(call, loop, [x, weight], [y]) {
    const n = x.shape.length;
    const sizes = x.shape.map((dim) => dim.size);
    forEachTap(call.attrs.window, x.shape, loop, sizes, (at, input, tap) => {
      const [o, i] = [at[n - 1], at[n]];
      add(y, at.slice(0, n), get(x, [...input.slice(0, n - 1), i]) * get(weight, [...tap, i, o]));
    });
  },
});

export const convTranspose = defineOp<ConvTransposeAttrs>({
  name: 'conv_transpose',
  doc: 'y[q, i] = sum over k, o, p with q = p*stride - pad + dilation*k of x[p, o] * weight[k, i, o]: the transpose of conv.',
  pointwise: false,
  combine: 'sum',
  infer(inputs, { window, size, channel }, where) {
    needInputs(inputs, 2, where);
    const [x, weight] = inputs;
    checkImage(x, weight.shape, window, 1, where);
    const into = weight.shape[weight.shape.length - 2];
    const shape = imageShape(x.shape, { name: channel ?? into.name, size: into.size }, (axis, input) => {
      if (!window[axis]) return input;
      const back = windowOutput(window[axis], size[axis], where, axis);
      if (back !== input)
        fail({
          where,
          problem: `output size along "${axis}" does not lead back to the input`,
          expected: `a size whose convolution has ${input} voxels`,
          found: `${size[axis]}, whose convolution has ${back}`,
        });
      return size[axis];
    });
    return [{ shape, dtype: x.dtype }];
  },
  grad: (call, [g]) => {
    const [x, weight] = call.inputValues;
    return [convRaw(g!, weight, call.attrs.window, channelOf(x)), convWeightGradRaw(g!, x, call.attrs.window, weight)];
  },
  loops: (call) => imageLoops(call, cutsUp),
  reads: (call, loop) => imageReads(call, loop, 1, windowReadBy),
  writes: (call, loop) => [loop.slice(0, call.outputs[0].shape.length)],
  cost: (call, loop) => contractionCost(call, loop, true),
  reference(call, loop, [x, weight], [y]) {
    // Runs over the inputs p of the read box and keeps what falls into the output box.
    const n = x.shape.length;
    const sizes = y.shape.map((dim) => dim.size);
    const [image] = imageReads(call, loop, 1, windowReadBy);
    const positions: Box = [...image.slice(0, -1), loop[n - 1], loop[n]];
    const spatial = loop.slice(0, n - 1);
    forEachTap(call.attrs.window, x.shape, positions, sizes, (at, output, tap) => {
      if (spatial.some((r, d) => output[d] < r.start || output[d] >= r.end)) return;
      const [i, o] = [at[n - 1], at[n]];
      add(y, [...output.slice(0, n - 1), i], get(x, [...at.slice(0, n - 1), o]) * get(weight, [...tap, i, o]));
    });
  },
});

/** Loops of the weight gradient: kernel (whole), in, out, then batch and space of y, which are summed over. */
function weightLoops(call: Call<ConvWeightGradAttrs>): Loop[] {
  const y = call.inputs[1].shape;
  const weight = call.outputs[0].shape;
  return [
    ...weight.map((dim, i): Loop => ({ dim: dim.name, size: dim.size, split: i < weight.length - 2 ? 'whole' : 'pass' })),
    ...y.slice(0, -1).map((dim): Loop => ({ dim: dim.name, size: dim.size, split: 'sum' })),
  ];
}

export const convWeightGrad = defineOp<ConvWeightGradAttrs>({
  name: 'conv_weight_grad',
  doc: 'dw[k, i, o] = sum over p of x[p*stride - pad + dilation*k, i] * y[p, o]: the gradient of conv for its weight.',
  pointwise: false,
  combine: 'sum',
  infer(inputs, { window, weight }, where) {
    needInputs(inputs, 2, where);
    const [x, y] = inputs;
    checkImage(x, weight, window, 0, where);
    checkImage(y, weight, window, 1, where);
    if (y.shape.length !== x.shape.length)
      fail({ where, problem: 'the inputs have different numbers of dimensions', expected: showShape(x.shape), found: showShape(y.shape) });
    x.shape.slice(0, -1).forEach((dim, i) => {
      const expected = window[dim.name] ? windowOutput(window[dim.name], dim.size, where, dim.name) : dim.size;
      if (y.shape[i]?.size !== expected || y.shape[i].name !== dim.name)
        fail({ where, problem: `"${dim.name}" of the second input`, expected: String(expected), found: showShape(y.shape) });
    });
    return [{ shape: weight, dtype: 'f32' }];
  },
  grad: (call, [g]) => {
    const [x, y] = call.inputValues;
    return [convTransposeRaw(y, g!, call.attrs.window, x.shape), convRaw(x, g!, call.attrs.window, channelOf(y))];
  },
  loops: weightLoops,
  reads(call, loop) {
    const [x, y] = call.inputs;
    const k = call.outputs[0].shape.length;
    const space = loop.slice(k);
    const image = x.shape.slice(0, -1).map((dim, i) => {
      const window = call.attrs.window[dim.name];
      return window ? windowReads(window, space[i], dim.size) : space[i];
    });
    return [
      [...image, loop[k - 2]],
      [...y.shape.slice(0, -1).map((_, i) => space[i]), loop[k - 1]],
    ];
  },
  writes: (call, loop) => [loop.slice(0, call.outputs[0].shape.length)],
  cost: (_call, loop) => ({ flops: 2 * boxVolume(loop) }),
  reference(call, loop, [x, y], [dw]) {
    const k = dw.shape.length;
    const n = x.shape.length;
    const sizes = x.shape.map((dim) => dim.size);
    const positions: Box = [...loop.slice(k), loop[k - 2], loop[k - 1]];
    forEachTap(call.attrs.window, x.shape, positions, sizes, (at, input, tap) => {
      const [i, o] = [at[n - 1], at[n]];
      add(dw, [...tap, i, o], get(x, [...input.slice(0, n - 1), i]) * get(y, [...at.slice(0, n - 1), o]));
    });
  },
});

/** The window of one axis as a model writes it; missing fields are stride 1, dilation 1, no padding. */
export interface WindowOptions {
  readonly stride?: number;
  readonly dilation?: number;
  /** Zeros on both sides, or [before, after]; `same` keeps the size at stride 1 (the extra zero of an even reach comes after). */
  readonly padding?: number | readonly [number, number] | 'same';
}

/** Windows over the axes that `kernel` names. */
export function windows(kernel: Readonly<Record<string, number>>, options: WindowOptions = {}): Windows {
  const { stride = 1, dilation = 1, padding = 0 } = options;
  return Object.fromEntries(
    Object.entries(kernel).map(([axis, size]) => {
      const free = dilation * (size - 1);
      const [padLow, padHigh] =
        padding === 'same'
          ? [Math.floor(free / 2), free - Math.floor(free / 2)]
          : typeof padding === 'number'
            ? [padding, padding]
            : padding;
      return [axis, { kernel: size, stride, dilation, padLow, padHigh }];
    }),
  );
}

const channelOf = (x: { readonly shape: Shape }): string => x.shape[x.shape.length - 1].name;

/** Convolution; `channel` names the output's channel dimension (that of the weight unless given). */
export function convRaw(x: Value, weight: Value, window: Windows, channel?: string): Value {
  return single(x.graph.add(conv, { window, channel }, [x, weight]));
}

/** Transposed convolution onto the spatial sizes and the channel dimension name of `onto`. */
export function convTransposeRaw(x: Value, weight: Value, window: Windows, onto: Shape): Value {
  const size = Object.fromEntries(onto.filter((dim) => window[dim.name]).map((dim) => [dim.name, dim.size]));
  return single(x.graph.add(convTranspose, { window, size, channel: channelOf({ shape: onto }) }, [x, weight]));
}

/** Gradient of a convolution for its weight; takes the shape and dimension names of `weight`. */
export function convWeightGradRaw(x: Value, y: Value, window: Windows, weight: { readonly shape: Shape }): Value {
  return single(x.graph.add(convWeightGrad, { window, weight: weight.shape }, [x, y]));
}
