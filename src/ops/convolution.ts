import {
  add,
  type Box,
  boxVolume,
  type Call,
  cutsDown,
  cutsUp,
  type DType,
  defineOp,
  fail,
  get,
  type Loop,
  type Shape,
  showShape,
  type Value,
  windowOutput,
  windowReadBy,
  windowReads,
} from '../core/index.ts';
import { castTo } from './broadcast.ts';
import { needInputs, single } from './common.ts';

import {
  type ConvAttrs,
  checkImage,
  contractionCost,
  forEachTap,
  imageLoops,
  imageReads,
  imageShape,
  overPlanes,
  type Windows,
} from './conv-rules.ts';

// Convolution over any number of spatial axes, and its two transposes.
//
//   x        [batch..., space..., channel i]
//   weight   [kernel..., i, o]           one kernel dimension per spatial axis, in the order of `window`
//   y        [batch..., space'..., o]    y[p, o]   = sum over k, i of x[p*s - pad + d*k, i] * weight[k, i, o]
//   dx                                   dx[q, i]  = sum over k, o, p with q = p*s - pad + d*k of y[p, o] * weight[k, i, o]
//   dweight                              dw[k,i,o] = sum over p of x[p*s - pad + d*k, i] * y[p, o]
//
// All three are linear in each input, and the gradient of each is one of the others, so the family is closed.

/** `size`: the output's spatial sizes, which a stride leaves open. */
export type ConvTransposeAttrs = ConvAttrs & { readonly size: Readonly<Record<string, number>> };
/** `weight`: shape of the result. */
export type ConvWeightGradAttrs = { readonly window: Windows; readonly weight: Shape };

export const conv = defineOp<ConvAttrs>({
  name: 'conv',
  doc: 'y[p, o] = sum over k, i of x[p*stride - pad + dilation*k, i] * weight[k, i, o]; zeros outside the volume.',
  form: 'kernel',
  role: 'compute',
  images: { inputs: [0], output: true },
  weight: { input: 1 },
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
    // First the gradient that reads x: x can be given up before the other is made.
    const dWeight = convWeightGradRaw(x, g!, call.attrs.window, weight);
    return [convTransposeRaw(g!, weight, call.attrs.window, x.shape), dWeight];
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
  form: 'kernel',
  role: 'compute',
  images: { inputs: [0], output: true },
  weight: { input: 1 },
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
    const dWeight = convWeightGradRaw(g!, x, call.attrs.window, weight);
    return [convRaw(g!, weight, call.attrs.window, channelOf(x)), dWeight];
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
      add(
        y,
        [...output.slice(0, n - 1), i],
        get(x, [...at.slice(0, n - 1), o]) * get(weight, [...tap, i, o]),
      );
    });
  },
});

/** Loops of the weight gradient: kernel (whole), in, out, then batch and space of y, which are summed over. */
function weightLoops(call: Call<ConvWeightGradAttrs>): Loop[] {
  const y = call.inputs[1].shape;
  const weight = call.outputs[0].shape;
  const planes = overPlanes(y, call.attrs.window);
  return [
    ...weight.map(
      (dim, i): Loop => ({ dim: dim.name, size: dim.size, split: i < weight.length - 2 ? 'whole' : 'pass' }),
    ),
    ...y.slice(0, -1).map(
      (dim, i): Loop => ({
        dim: dim.name,
        size: dim.size,
        split: 'sum',
        cell: sumCell(y.length - 2 - i, dim.size, planes),
      }),
    ),
  ];
}

/**
 * Positions along a dimension of y whose products may be added in float32 before they join a float64 sum. No rank's part
 * begins inside such a cell, so the float32 sums, and with them the gradient, are the same on every mesh. `fromLast`: 0 for
 * the innermost spatial dimension, 1 and 2 for the next; further ones are added in float64 position by position. Cells are even
 * where a dimension is not small, so that products of pairs of positions (Winograd's filtering) lie in one cell. Those of windows
 * over planes (`planes`) are twice as high and wide where there is room: Winograd's groups are of four by four there.
 */
export function sumCell(fromLast: number, size: number, planes = false): number {
  if (planes && fromLast === 0 && size >= 64) return 32;
  if (planes && fromLast === 1 && size >= 32) return 16;
  if (fromLast === 0) return size >= 32 ? 16 : size >= 16 ? 8 : size >= 8 ? 4 : 1;
  if (fromLast === 1) return size >= 16 ? 8 : size >= 8 ? 4 : 1;
  if (fromLast === 2) return size >= 8 ? 2 : 1;
  return 1;
}

export const convWeightGrad = defineOp<ConvWeightGradAttrs>({
  name: 'conv_weight_grad',
  doc: 'dw[k, i, o] = sum over p of x[p*stride - pad + dilation*k, i] * y[p, o]: the gradient of conv for its weight.',
  form: 'kernel',
  role: 'compute',
  images: { inputs: [0, 1], output: false },
  weight: { output: 0 },
  combine: 'sum',
  infer(inputs, { window, weight }, where) {
    needInputs(inputs, 2, where);
    const [x, y] = inputs;
    checkImage(x, weight, window, 0, where);
    checkImage(y, weight, window, 1, where);
    if (y.shape.length !== x.shape.length)
      fail({
        where,
        problem: 'the inputs have different numbers of dimensions',
        expected: showShape(x.shape),
        found: showShape(y.shape),
      });
    x.shape.slice(0, -1).forEach((dim, i) => {
      const expected = window[dim.name]
        ? windowOutput(window[dim.name], dim.size, where, dim.name)
        : dim.size;
      if (y.shape[i]?.size !== expected || y.shape[i].name !== dim.name)
        fail({
          where,
          problem: `"${dim.name}" of the second input`,
          expected: String(expected),
          found: showShape(y.shape),
        });
    });
    return [{ shape: weight, dtype: 'f64' }];
  },
  grad: (call, [g]) => {
    const [x, y] = call.inputValues;
    return [
      convTransposeRaw(y, g!, call.attrs.window, x.shape),
      convRaw(x, g!, call.attrs.window, channelOf(y)),
    ];
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

const channelOf = (x: { readonly shape: Shape }): string => x.shape[x.shape.length - 1].name;

/** Convolution; `channel` names the output's channel dimension (that of the weight unless given). */
export function convRaw(x: Value, weight: Value, window: Windows, channel?: string): Value {
  return single(x.graph.add(conv, { window, channel }, [x, weight]));
}

/** Transposed convolution onto the spatial sizes and the channel dimension name of `onto`. */
export function convTransposeRaw(x: Value, weight: Value, window: Windows, onto: Shape): Value {
  const size = Object.fromEntries(onto.filter((dim) => window[dim.name]).map((dim) => [dim.name, dim.size]));
  return single(
    x.graph.add(convTranspose, { window, size, channel: channelOf({ shape: onto }) }, [x, weight]),
  );
}

/**
 * Gradient of a convolution for its weight; takes the shape, dimension names and element type of `weight`. The parts of the
 * ranks are added in float64, and the total is cast.
 */
export function convWeightGradRaw(
  x: Value,
  y: Value,
  window: Windows,
  weight: { readonly shape: Shape; readonly dtype: DType },
): Value {
  return castTo(single(x.graph.add(convWeightGrad, { window, weight: weight.shape }, [x, y])), weight.dtype);
}
