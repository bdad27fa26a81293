import type { Value } from '../../core/index.ts';
import { add, castTo, einsum, rename } from '../../ops/index.ts';
import { channelOf } from '../axes.ts';
import type { Context } from '../context.ts';

export interface VectorLayerSettings {
  readonly name: string;
  readonly filters: number;
  /** Name of the dimension that comes out; that of the input by default. */
  readonly out?: string;
  /** Slope of the leaky ReLU that follows, for the first weights. */
  readonly slope: number;
}

/**
 * A fully connected layer on a vector for each image, [batch, channel] float64: its sums, and those of its gradients over the batch, are
 * in float64, so that they come out the same wherever images lie.
 */
export function vectorLayer(
  ctx: Context,
  x: Value,
  { name, filters, slope, out }: VectorLayerSettings,
): Value {
  return ctx.layer(name, () => {
    const channel = channelOf(x);
    const from = { name: `${channel.name}_in`, size: channel.size };
    const to = { name: out ?? channel.name, size: filters };
    const weight = ctx.variable('weight', [from, to], ctx.firstWeights(channel.size, filters, slope));
    const bias = ctx.variable('bias', [to], { kind: 'constant', value: 0 });
    const kept = x.shape.slice(0, -1).map((dim) => dim.name);
    const sums = einsum(
      [rename(x, { [channel.name]: from.name }), castTo(weight, 'f64')],
      [...kept, to.name],
      'f64',
    );
    return add(sums, castTo(bias, 'f64'));
  });
}
