import type { DType, Op, Value } from '../core/index.ts';
import { castTo, type ReduceAttrs, reduceSum, reduction } from './broadcast.ts';
import { single } from './common.ts';
import { div, equal, mul, scalar } from './elementwise.ts';

/** Gradient of an extremum: shared equally by the elements that attain it. */
const extremumGrad: Op<ReduceAttrs>['grad'] = (call, [g]) => {
  const [x] = call.inputValues;
  const [y] = call.outputValues;
  const hit = equal(x, y);
  return [mul(hit, div(castTo(g!, x.dtype), reduceSum(hit, call.attrs.over, x.dtype)))];
};

export const maxOp = reduction(
  'max',
  'y = largest x over the named dimensions; the gradient is shared by ties.',
  extremumGrad,
);
export const minOp = reduction(
  'min',
  'y = smallest x over the named dimensions; the gradient is shared by ties.',
  extremumGrad,
);

export function reduceMax(x: Value, over: readonly string[]): Value {
  return single(x.graph.add(maxOp, { over }, [x]));
}

export function reduceMin(x: Value, over: readonly string[]): Value {
  return single(x.graph.add(minOp, { over }, [x]));
}

/** Mean over the named dimensions. The sum is held in float64 and the mean cast back. */
export function reduceMean(x: Value, over: readonly string[], dtype: DType = x.dtype): Value {
  const count = x.shape.filter((dim) => over.includes(dim.name)).reduce((n, dim) => n * dim.size, 1);
  const total = reduceSum(x, over, 'f64');
  return castTo(mul(total, scalar(total, 1 / count)), dtype);
}
