import {
  add,
  type Box,
  boxVolume,
  type Call,
  cutsDown,
  cutsUp,
  defineOp,
  dimIndex,
  fail,
  forEachIndex,
  get,
  type Loop,
  type Op,
  offset,
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
import type { Windows } from './conv-rules.ts';

export type MaxPoolAttrs = { readonly window: Windows };
/** `countPadding`: divide by all kernel positions, or by those inside the volume only. */
export type AvgPoolAttrs = { readonly window: Windows; readonly countPadding: boolean };
export type AvgPoolGradAttrs = AvgPoolAttrs & { readonly size: Readonly<Record<string, number>> };

/** Refuses windows that lie wholly in the padding: they have no largest element and no mean. */
function checkInside(w: Window, size: number, outputs: number, axis: string, where: string): void {
  for (let o = 0; o < outputs; o++) {
    const first = o * w.stride - w.padLow;
    const tap = Math.max(0, Math.ceil(-first / w.dilation));
    if (tap >= w.kernel || first + tap * w.dilation >= size)
      fail({
        where,
        problem: `window ${o} along "${axis}" lies wholly in the padding`,
        found: `kernel ${w.kernel}, dilation ${w.dilation}, padding ${w.padLow} and ${w.padHigh} on ${size} voxels`,
        hint: 'Use less padding',
      });
  }
}

function pooledType(x: TensorType, window: Windows, where: string): TensorType {
  for (const axis of Object.keys(window))
    if (dimIndex(x.shape, axis) < 0)
      fail({ where, problem: `no dimension "${axis}" in the input`, found: showShape(x.shape) });
  const shape = x.shape.map((dim) => {
    const w = window[dim.name];
    if (!w) return dim;
    const size = windowOutput(w, dim.size, where, dim.name);
    checkInside(w, dim.size, size, dim.name, where);
    return { name: dim.name, size };
  });
  return { shape, dtype: x.dtype };
}

function poolLoops(from: Shape, to: Shape, window: Windows, cuts: typeof cutsDown): Loop[] {
  return to.map((dim, i) => {
    const w = window[dim.name];
    if (!w) return { dim: dim.name, size: dim.size, split: 'pass' };
    return {
      dim: dim.name,
      size: dim.size,
      split: 'window',
      follows: { size: from[i].size, cuts: (c) => cuts(w, c, dim.size) },
    };
  });
}

const readsDown = (shape: Shape, window: Windows, loop: Box): Box =>
  shape.map((dim, i) => (window[dim.name] ? windowReads(window[dim.name], loop[i], dim.size) : loop[i]));
const readsUp = (shape: Shape, window: Windows, loop: Box): Box =>
  shape.map((dim, i) => (window[dim.name] ? windowReadBy(window[dim.name], loop[i], dim.size) : loop[i]));

/** Input positions of one window inside the volume, in row-major order. */
function inWindow(
  window: Windows,
  shape: Shape,
  output: readonly number[],
  visit: (input: readonly number[]) => void,
): void {
  const ranges = shape.map((dim, i) =>
    window[dim.name] ? range(0, window[dim.name].kernel) : range(output[i], output[i] + 1),
  );
  const input: number[] = [];
  forEachIndex(ranges, (tap) => {
    for (let i = 0; i < shape.length; i++) {
      const w = window[shape[i].name];
      input[i] = w ? output[i] * w.stride - w.padLow + w.dilation * tap[i] : tap[i];
      if (input[i] < 0 || input[i] >= shape[i].size) return;
    }
    visit(input);
  });
}

const taps = (window: Windows): number => Object.values(window).reduce((n, w) => n * w.kernel, 1);

export const maxPool = defineOp<MaxPoolAttrs>({
  name: 'max_pool',
  doc: 'y[p] = largest x[p*stride - pad + dilation*k] inside the volume. The gradient goes to the first largest, in row-major order.',
  form: 'kernel',
  role: 'compute',
  images: { inputs: [0], output: false },
  weight: 'none',
  combine: 'sum',
  infer(inputs, { window }, where) {
    needInputs(inputs, 1, where);
    return [pooledType(inputs[0], window, where)];
  },
  grad: (call, [g]) => [single(g!.graph.add(maxPoolGrad, call.attrs, [call.inputValues[0], g!]))],
  loops: (call) => poolLoops(call.inputs[0].shape, call.outputs[0].shape, call.attrs.window, cutsDown),
  reads: (call, loop) => [readsDown(call.inputs[0].shape, call.attrs.window, loop)],
  writes: (_call, loop) => [loop],
  cost: (call, loop) => ({ flops: taps(call.attrs.window) * boxVolume(loop) }),
  reference(call, loop, [x], [y]) {
    forEachIndex(loop, (output) => {
      let best = Number.NEGATIVE_INFINITY;
      inWindow(call.attrs.window, x.shape, output, (input) => {
        best = Math.max(best, get(x, input));
      });
      y.data[offset(y, output)] = best;
    });
  },
});

/** Outputs whose windows touch a box of inputs. */
const touching = (call: Call<MaxPoolAttrs>, loop: Box): Box =>
  readsUp(call.inputs[1].shape, call.attrs.window, loop);

export const maxPoolGrad = defineOp<MaxPoolAttrs>({
  name: 'max_pool_grad',
  doc: 'dx[q] = sum of dy[p] over the windows p whose first largest element is q. Inputs: x, dy.',
  form: 'kernel',
  role: 'compute',
  images: { inputs: [0, 1], output: false },
  weight: 'none',
  combine: 'sum',
  infer(inputs, { window }, where) {
    needInputs(inputs, 2, where);
    const y = pooledType(inputs[0], window, where);
    if (showShape(y.shape) !== showShape(inputs[1].shape))
      fail({
        where,
        problem: 'gradient has another shape',
        expected: showShape(y.shape),
        found: showShape(inputs[1].shape),
      });
    return [inputs[0]];
  },
  grad: { notDifferentiable: 'second derivatives through max pooling are not defined here' },
  loops: (call) => poolLoops(call.inputs[1].shape, call.outputs[0].shape, call.attrs.window, cutsUp),
  reads(call, loop) {
    const outputs = touching(call, loop);
    const own = readsDown(call.inputs[0].shape, call.attrs.window, outputs);
    return [own, outputs];
  },
  writes: (_call, loop) => [loop],
  cost: (call, loop) => ({ flops: 2 * taps(call.attrs.window) * boxVolume(loop) }),
  reference(call, loop, [x, dy], [dx]) {
    forEachIndex(touching(call, loop), (output) => {
      let best = Number.NEGATIVE_INFINITY;
      let winner: readonly number[] | undefined;
      inWindow(call.attrs.window, x.shape, output, (input) => {
        const value = get(x, input);
        if (winner === undefined || value > best) {
          best = value;
          winner = [...input];
        }
      });
      if (winner && loop.every((r, i) => winner![i] >= r.start && winner![i] < r.end))
        add(dx, winner, get(dy, output));
    });
  },
});

/** Divisor of one average window. */
function divisor(attrs: AvgPoolAttrs, x: Shape, output: readonly number[]): number {
  if (attrs.countPadding) return taps(attrs.window);
  let inside = 0;
  inWindow(attrs.window, x, output, () => inside++);
  return inside;
}

export const avgPool: Op<AvgPoolAttrs> = defineOp<AvgPoolAttrs>({
  name: 'avg_pool',
  doc: 'y[p] = mean of x[p*stride - pad + dilation*k]; outside the volume counts as zeros (countPadding) or not at all.',
  form: 'kernel',
  role: 'compute',
  images: { inputs: [0], output: false },
  weight: 'none',
  combine: 'sum',
  infer(inputs, { window }, where) {
    needInputs(inputs, 1, where);
    return [pooledType(inputs[0], window, where)];
  },
  grad: (call, [g]) => {
    const [x] = call.inputs;
    const size = Object.fromEntries(x.shape.map((dim) => [dim.name, dim.size]));
    return [single(g!.graph.add(avgPoolGrad, { ...call.attrs, size }, [g!]))];
  },
  loops: (call) => poolLoops(call.inputs[0].shape, call.outputs[0].shape, call.attrs.window, cutsDown),
  reads: (call, loop) => [readsDown(call.inputs[0].shape, call.attrs.window, loop)],
  writes: (_call, loop) => [loop],
  cost: (call, loop) => ({ flops: taps(call.attrs.window) * boxVolume(loop) }),
  reference(call, loop, [x], [y]) {
    forEachIndex(loop, (output) => {
      const by = divisor(call.attrs, x.shape, output);
      inWindow(call.attrs.window, x.shape, output, (input) => add(y, output, get(x, input) / by));
    });
  },
});

export const avgPoolGrad: Op<AvgPoolGradAttrs> = defineOp<AvgPoolGradAttrs>({
  name: 'avg_pool_grad',
  doc: 'dx[q] = sum over windows p that hold q of dy[p] / divisor(p). Input: dy.',
  form: 'kernel',
  role: 'compute',
  images: { inputs: [0], output: false },
  weight: 'none',
  combine: 'sum',
  infer(inputs, { window, size }, where) {
    needInputs(inputs, 1, where);
    const shape = inputs[0].shape.map((dim) => ({ name: dim.name, size: size[dim.name] }));
    const y = pooledType({ shape, dtype: inputs[0].dtype }, window, where);
    if (showShape(y.shape) !== showShape(inputs[0].shape))
      fail({
        where,
        problem: 'gradient has another shape',
        expected: showShape(y.shape),
        found: showShape(inputs[0].shape),
      });
    return [{ shape, dtype: inputs[0].dtype }];
  },
  grad: (call, [g]) => {
    const { window, countPadding } = call.attrs;
    return [single(g!.graph.add(avgPool, { window, countPadding }, [g!]))];
  },
  loops: (call) => poolLoops(call.inputs[0].shape, call.outputs[0].shape, call.attrs.window, cutsUp),
  reads: (call, loop) => [readsUp(call.inputs[0].shape, call.attrs.window, loop)],
  writes: (_call, loop) => [loop],
  cost: (call, loop) => ({ flops: taps(call.attrs.window) * boxVolume(loop) }),
  reference(call, loop, [dy], [dx]) {
    const { shape } = call.outputs[0];
    forEachIndex(readsUp(dy.shape, call.attrs.window, loop), (output) => {
      const share = get(dy, output) / divisor(call.attrs, shape, output);
      inWindow(call.attrs.window, shape, output, (input) => {
        if (loop.every((r, i) => input[i] >= r.start && input[i] < r.end)) add(dx, input, share);
      });
    });
  },
});

export function maxPoolRaw(x: Value, window: Windows): Value {
  return single(x.graph.add(maxPool, { window }, [x]));
}

export function avgPoolRaw(x: Value, window: Windows, countPadding = true): Value {
  return single(x.graph.add(avgPool, { window, countPadding }, [x]));
}
