import { broadcast, cast, fill, sumOp } from './broadcast.ts';
import { conv, convTranspose, convWeightGrad } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import { avgPool, avgPoolGrad, maxPool, maxPoolGrad } from './pool.ts';
import { maxOp, minOp } from './reduce.ts';
import { assign, input, table, variable } from './source.ts';

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
} as const;

/** Name under which an operation stands in {@link OPS}. */
export type OpName = keyof typeof OPS;
