import type { Attrs, Op } from '../../core/index.ts';
import type { OPS, OpName } from '../../ops/index.ts';
import { argmax, classSums, classSumsGrad, crossEntropy, crossEntropyGrad, softmax } from './classes.ts';
import { conv, convTranspose, convWeightGrad } from './convolution.ts';
import { elementwiseRules } from './elementwise.ts';
import { avgPool, avgPoolGrad, maxPool, maxPoolGrad } from './pool.ts';
import { random } from './random.ts';
import { einsum, reduceMax, reduceMin, reduceSum } from './reduce.ts';
import { resize, resizeGrad } from './resize.ts';
import type { Rule } from './site.ts';
import { assign, broadcast, cast, fill, table } from './source.ts';
import { concat, pad, reshape, slice, transpose } from './structure.ts';

type AttrsOf<N extends OpName> = (typeof OPS)[N] extends Op<infer A> ? A : never;

/** What comes from outside of a program is one of its arguments. */
const ARGUMENT = 'argument';

/** How every operation is printed; one without a rule does not compile. */
const RULES: { readonly [N in OpName]: Rule<AttrsOf<N>> | typeof ARGUMENT } = {
  input: ARGUMENT,
  variable: ARGUMENT,
  assign,
  table,
  fill,
  cast,
  broadcast,
  ...elementwiseRules,
  reduce_sum: reduceSum,
  reduce_max: reduceMax,
  reduce_min: reduceMin,
  conv,
  conv_transpose: convTranspose,
  conv_weight_grad: convWeightGrad,
  max_pool: maxPool,
  max_pool_grad: maxPoolGrad,
  avg_pool: avgPool,
  avg_pool_grad: avgPoolGrad,
  random,
  einsum,
  transpose,
  reshape,
  concat,
  slice,
  pad,
  resize,
  resize_grad: resizeGrad,
  softmax,
  argmax,
  cross_entropy: crossEntropy,
  cross_entropy_grad: crossEntropyGrad,
  class_sums: classSums,
  class_sums_grad: classSumsGrad,
};

/** The rule of an operation of the registry; undefined for those that are arguments. */
export function ruleOf(name: string): Rule<Attrs> | undefined {
  const rule = RULES[name as OpName];
  return rule === ARGUMENT ? undefined : (rule as unknown as Rule<Attrs>);
}
