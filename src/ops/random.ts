import {
  type DType,
  defineOp,
  fail,
  forEachIndex,
  type Graph,
  get,
  normal,
  rowMajorStrides,
  type Shape,
  set,
  uniform,
  type Value,
} from '../core/index.ts';
import { pointwiseRules, single } from './common.ts';
import { mul, scalar } from './elementwise.ts';

// Random numbers that depend on (seed, stream, step, global index) alone: the same on every mesh and device, and drawn again
// wherever they are needed (the mask of a dropout in the backward pass) instead of kept.

/**
 * `uniform` in [0, 1); standard `normal`; `bernoulli`: 1 with probability `keep`, else 0. `seed` and `stream` are whole numbers
 * below 2^32 and serve as the two keys of the generator; users of one seed take a stream each.
 */
export type RandomAttrs = {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly distribution: 'uniform' | 'normal' | 'bernoulli';
  readonly seed: number;
  readonly stream: number;
  readonly keep?: number;
};

/** One draw. */
function draw({ distribution, seed, stream, keep }: RandomAttrs, step: number, index: number): number {
  if (distribution === 'normal') return normal(seed, stream, step, index);
  const u = uniform(seed, stream, step, index);
  if (distribution === 'uniform') return u;
  return u < keep! ? 1 : 0;
}

export const randomOp = defineOp<RandomAttrs>({
  name: 'random',
  doc: 'y[i] = random number keyed by (seed, stream, step, row-major index i). Input: the step, a scalar; none is step 0.',
  ...pointwiseRules(16),
  infer(inputs, { shape, dtype, distribution, seed, stream, keep }, where) {
    if (inputs.length > 1 || (inputs.length === 1 && inputs[0].shape.length !== 0))
      fail({ where, problem: 'wrong inputs', expected: 'none, or one scalar: the step' });
    for (const [what, key] of [
      ['seed', seed],
      ['stream', stream],
    ] as const)
      if (!Number.isInteger(key) || key < 0 || key >= 2 ** 32)
        fail({
          where,
          problem: `impossible ${what}`,
          expected: 'a whole number from 0 to 2^32 - 1',
          found: String(key),
        });
    if (distribution === 'bernoulli' && !(keep !== undefined && keep >= 0 && keep <= 1))
      fail({ where, problem: 'impossible probability "keep"', expected: '0 to 1', found: String(keep) });
    return [{ shape, dtype }];
  },
  grad: { notDifferentiable: 'random numbers do not depend smoothly on the step' },
  reference({ attrs }, loop, inputs, [y]) {
    const step = inputs.length === 0 ? 0 : get(inputs[0], []);
    const strides = rowMajorStrides(attrs.shape.map((dim) => dim.size));
    forEachIndex(loop, (index) => {
      const at = index.reduce((sum, x, i) => sum + x * strides[i], 0);
      set(y, index, draw(attrs, step, at));
    });
  },
});

/** Random numbers of a shape; anew at every step where a scalar step is given. */
export function randomOf(graph: Graph, attrs: RandomAttrs, step?: Value): Value {
  return single(graph.add(randomOp, attrs, step === undefined ? [] : [step]));
}

/** x with each element kept with probability `keep` and divided by it, else 0. */
export function dropout(
  x: Value,
  keep: number,
  { seed, stream }: { readonly seed: number; readonly stream: number },
  step?: Value,
): Value {
  if (!(keep > 0 && keep <= 1))
    fail({
      where: 'dropout',
      problem: 'impossible probability to keep',
      expected: 'above 0, at most 1',
      found: String(keep),
    });
  const { shape, dtype, graph } = x;
  const mask = randomOf(graph, { shape, dtype, distribution: 'bernoulli', seed, stream, keep }, step);
  return mul(mul(x, mask), scalar(x, 1 / keep));
}
