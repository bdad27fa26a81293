import {
  type Block,
  type Box,
  boxVolume,
  type Call,
  defineOp,
  dimIndex,
  dimOf,
  fail,
  forEachIndex,
  get,
  range,
  type Shape,
  set,
  type Value,
} from '../core/index.ts';
import { reduceSum } from './broadcast.ts';
import { boxByName, needInputs, passLoops, single } from './common.ts';
import { mul, sub } from './elementwise.ts';

// Softmax and argmax over one dimension, mostly the classes. Every rank needs that dimension whole.

export type AlongAttrs = { readonly dim: string };

/**
 * Logarithm of the softmax of x over dimension `axis` at the position `index`, whose entry at `axis` does not matter:
 * x[c] - m - log(sum over k of e^(x[k] - m)), m the largest x, so that no power overflows and no logarithm is of zero.
 */
export function logSoftmaxAt(x: Block, index: readonly number[], axis: number): number[] {
  const at = [...index];
  const values = Array.from({ length: x.shape[axis].size }, (_, k) => {
    at[axis] = k;
    return get(x, at);
  });
  const largest = Math.max(...values);
  const total = values.reduce((sum, value) => sum + Math.exp(value - largest), 0);
  return values.map((value) => value - largest - Math.log(total));
}

/** Softmax of x over dimension `axis` at the position `index`. */
export function softmaxAt(x: Block, index: readonly number[], axis: number): number[] {
  return logSoftmaxAt(x, index, axis).map(Math.exp);
}

/** A loop box with all of one dimension. */
export function allAlong(loop: Box, axis: number, shape: Shape): Box {
  return loop.map((r, i) => (i === axis ? range(0, shape[axis].size) : r));
}

const axisOf = (call: Call<AlongAttrs>): number => dimIndex(call.inputs[0].shape, call.attrs.dim);

export const softmaxOp = defineOp<AlongAttrs>({
  name: 'softmax',
  doc: 'y[c] = e^(x[c] - m) / sum over k of e^(x[k] - m) along a dimension, m the largest x.',
  form: 'kernel',
  role: 'compute',
  images: { inputs: [0], output: false },
  weight: 'none',
  combine: 'sum',
  infer(inputs, { dim }, where) {
    needInputs(inputs, 1, where);
    dimOf(inputs[0].shape, dim, where);
    return [inputs[0]];
  },
  // dx[c] = y[c] * (g[c] - sum over k of g[k] * y[k])
  grad: (call, [g]) => {
    const [y] = call.outputValues;
    const meet = reduceSum(mul(g!, y), [call.attrs.dim], y.dtype === 'bf16' ? 'f32' : y.dtype);
    return [mul(y, sub(g!, meet))];
  },
  loops: (call) =>
    passLoops(call.outputs[0].shape).map((l) => (l.dim === call.attrs.dim ? { ...l, split: 'whole' } : l)),
  reads: (call, loop) => [allAlong(loop, axisOf(call), call.inputs[0].shape)],
  writes: (_call, loop) => [loop],
  cost: (_call, loop) => ({ flops: 10 * boxVolume(loop) }),
  reference(call, loop, [x], [y]) {
    const axis = axisOf(call);
    forEachIndex(loop, (index) => set(y, index, softmaxAt(x, index, axis)[index[axis]]));
  },
});

export const argmaxOp = defineOp<AlongAttrs>({
  name: 'argmax',
  doc: 'y = position of the largest x along a dimension, which y lacks; the lowest on a tie.',
  form: 'kernel',
  role: 'compute',
  images: { inputs: [0], output: false },
  weight: 'none',
  combine: 'sum',
  infer(inputs, { dim }, where) {
    needInputs(inputs, 1, where);
    const [{ shape }] = inputs;
    const { size } = dimOf(shape, dim, where);
    if (size > 256)
      fail({
        where,
        problem: `too many positions along "${dim}" for u8`,
        expected: 'at most 256',
        found: String(size),
      });
    return [{ shape: shape.filter((d) => d.name !== dim), dtype: 'u8' }];
  },
  grad: { notDifferentiable: 'it is constant wherever it is continuous' },
  loops: (call) => passLoops(call.outputs[0].shape),
  reads: (call, loop) => [boxByName(call.inputs[0].shape, passLoops(call.outputs[0].shape), loop)],
  writes: (_call, loop) => [loop],
  cost: (call, loop) => ({ flops: boxVolume(loop) * call.inputs[0].shape[axisOf(call)].size }),
  reference(call, loop, [x], [y]) {
    const axis = axisOf(call);
    forEachIndex(loop, (index) => {
      let best = 0;
      let most = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < x.shape[axis].size; k++) {
        const value = get(x, index.toSpliced(axis, 0, k));
        if (value > most) {
          most = value;
          best = k;
        }
      }
      set(y, index, best);
    });
  },
});

/** Softmax over a dimension. */
export function softmax(x: Value, dim: string): Value {
  return single(x.graph.add(softmaxOp, { dim }, [x]));
}

/** Position of the largest element along a dimension, as u8 without that dimension; the lowest on a tie. */
export function argmax(x: Value, dim: string): Value {
  return single(x.graph.add(argmaxOp, { dim }, [x]));
}
