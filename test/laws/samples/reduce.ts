import { shape } from '../../../src/core/index.ts';
import { OPS, type ReduceAttrs } from '../../../src/ops/index.ts';
import { labelTensor, type Sample, sample, type Tensor, tensor } from '../sample.ts';

// Casts, broadcasts and reductions.

const size = { batch: 2, depth: 7, height: 3, channel: 2 };

const reductions = (op: (typeof OPS)['reduce_sum']): Sample[] => {
  const make = (name: string, over: readonly string[], gives: string, more: Partial<ReduceAttrs> = {}) =>
    sample({ name, op, attrs: { over, ...more }, tensors: [tensor('x', size)], gives });
  return [
    make('over space', ['depth', 'height'], '[batch=2 channel=2]'),
    make('over all', ['batch', 'depth', 'height', 'channel'], '[]', { dtype: 'f64' }),
    make('over the channel', ['channel'], '[batch=2 depth=7 height=3]'),
    make('over nothing', [], '[batch=2 depth=7 height=3 channel=2]'),
  ];
};

const cast = (name: string, from: Tensor, dtype: 'f32' | 'bf16' | 'f64' | 'u8' | 'i32', smooth = true) =>
  sample({
    name,
    op: OPS.cast,
    attrs: { dtype },
    tensors: [from],
    gives: '[depth=7 channel=2]',
    differentiable: smooth ? undefined : [],
  });

/** Eighths, which bfloat16 holds exactly. */
const eighths = (t: Tensor): Tensor => ({ ...t, values: t.values.map((x) => Math.round(x * 8) / 8) });
const flat = { depth: 7, channel: 2 };

export const reduceSamples = {
  cast: [
    cast('to float64', tensor('x', flat), 'f64'),
    cast('to bfloat16', eighths(tensor('x', flat)), 'bf16'),
    cast('towards zero to whole numbers', tensor('x', flat, -3, 3), 'i32', false),
    cast('to labels', tensor('x', flat, 0, 5), 'u8', false),
    cast('from labels', labelTensor('x', flat, 5), 'f32'),
  ],
  broadcast: [
    sample({
      name: 'a vector over a volume',
      op: OPS.broadcast,
      attrs: { shape: shape(size) },
      tensors: [tensor('x', { channel: 2 })],
      gives: '[batch=2 depth=7 height=3 channel=2]',
    }),
    sample({
      name: 'a scalar',
      op: OPS.broadcast,
      attrs: { shape: shape({ depth: 7 }) },
      tensors: [tensor('x', {})],
      gives: '[depth=7]',
    }),
    sample({
      name: 'in another order',
      op: OPS.broadcast,
      attrs: { shape: shape({ height: 2, depth: 7, batch: 3 }) },
      tensors: [tensor('x', { depth: 7, height: 2 })],
      gives: '[height=2 depth=7 batch=3]',
    }),
  ],
  reduce_sum: reductions(OPS.reduce_sum),
  reduce_max: reductions(OPS.reduce_max),
  reduce_min: reductions(OPS.reduce_min),
} satisfies Record<string, readonly Sample[]>;
