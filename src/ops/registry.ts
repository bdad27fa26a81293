import { broadcast, cast, fill, sumOp } from './broadcast.ts';
import { conv, convTranspose, convWeightGrad } from './convolution.ts';
import { einsumOp } from './einsum.ts';
import { elementwise } from './elementwise.ts';
import { concatOp, padOp, sliceOp } from './joining.ts';
import { classSumsGradOp, classSumsOp, crossEntropyGradOp, crossEntropyOp } from './loss.ts';
import { avgPool, avgPoolGrad, maxPool, maxPoolGrad } from './pool.ts';
import { randomOp } from './random.ts';
import { maxOp, minOp } from './reduce.ts';
import { resizeGradOp, resizeOp } from './resize.ts';
import { argmaxOp, softmaxOp } from './softmax.ts';
import { assign, input, table, variable } from './source.ts';
import { reshapeOp, transposeOp } from './structure.ts';

/** Every operation, one line each. A device's table of kernels is a mapped type over these names. */
export const OPS = {
  input,
  variable,
  assign,
  table,
  fill,
  cast,
  broadcast,
  ...elementwise,
  reduce_sum: sumOp,
  reduce_max: maxOp,
  reduce_min: minOp,
  conv,
  conv_transpose: convTranspose,
  conv_weight_grad: convWeightGrad,
  max_pool: maxPool,
  max_pool_grad: maxPoolGrad,
  avg_pool: avgPool,
  avg_pool_grad: avgPoolGrad,
  random: randomOp,
  einsum: einsumOp,
  transpose: transposeOp,
  reshape: reshapeOp,
  concat: concatOp,
  slice: sliceOp,
  pad: padOp,
  resize: resizeOp,
  resize_grad: resizeGradOp,
  softmax: softmaxOp,
  argmax: argmaxOp,
  cross_entropy: crossEntropyOp,
  cross_entropy_grad: crossEntropyGradOp,
  class_sums: classSumsOp,
  class_sums_grad: classSumsGradOp,
} as const;

/** Name under which an operation stands in {@link OPS}. */
export type OpName = keyof typeof OPS;
