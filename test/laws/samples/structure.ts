import { shape } from '../../../src/core/index.ts';
import { OPS } from '../../../src/ops/index.ts';
import { type Sample, sample, type Tensor, tensor } from '../sample.ts';

// Einsum, and operations that move elements without changing them.

const einsum = (name: string, output: readonly string[], tensors: readonly Tensor[], gives: string): Sample =>
  sample({ name, op: OPS.einsum, attrs: { output }, tensors, gives });

const reshape = (
  name: string,
  from: Readonly<Record<string, number>>,
  to: Readonly<Record<string, number>>,
  gives: string,
) => sample({ name, op: OPS.reshape, attrs: { shape: shape(to) }, tensors: [tensor('x', from)], gives });

const volume = { batch: 2, depth: 7, height: 3, channel: 4 };

export const structureSamples = {
  einsum: [
    einsum(
      'matrix product',
      ['batch', 'out'],
      [tensor('x', { batch: 2, in: 7 }), tensor('w', { in: 7, out: 3 })],
      '[batch=2 out=3]',
    ),
    einsum(
      'batched, in another order',
      ['out', 'depth', 'batch'],
      [tensor('x', { batch: 2, depth: 7, in: 3 }), tensor('w', { batch: 2, in: 3, out: 2 })],
      '[out=2 depth=7 batch=2]',
    ),
    einsum('outer product', ['a', 'b'], [tensor('x', { a: 7 }), tensor('y', { b: 3 })], '[a=7 b=3]'),
    einsum(
      'three inputs to a scalar',
      [],
      [tensor('x', { a: 7, b: 2 }), tensor('y', { b: 2, c: 3 }), tensor('z', { c: 3, a: 7 })],
      '[]',
    ),
    einsum('one input: sum and transpose', ['b', 'a'], [tensor('x', { a: 7, b: 2, c: 3 })], '[b=2 a=7]'),
    einsum(
      'a dimension that one input alone sums',
      ['a'],
      [tensor('x', { a: 7, b: 2 }), tensor('y', { a: 7, c: 3 })],
      '[a=7]',
    ),
    einsum('a scalar factor', ['a', 'b'], [tensor('x', {}), tensor('y', { b: 3, a: 7 })], '[a=7 b=3]'),
  ],
  transpose: [
    sample({
      name: 'three dimensions',
      op: OPS.transpose,
      attrs: { order: ['channel', 'batch', 'depth'] },
      tensors: [tensor('x', { batch: 2, depth: 7, channel: 3 })],
      gives: '[channel=3 batch=2 depth=7]',
    }),
  ],
  reshape: [
    reshape(
      'channels to groups',
      volume,
      { batch: 2, depth: 7, height: 3, group: 2, member: 2 },
      '[batch=2 depth=7 height=3 group=2 member=2]',
    ),
    reshape(
      'the middle flattened',
      volume,
      { batch: 2, place: 21, channel: 4 },
      '[batch=2 place=21 channel=4]',
    ),
    reshape('everything flattened', { depth: 7, channel: 3 }, { flat: 21 }, '[flat=21]'),
    reshape('a new name', { depth: 7, channel: 3 }, { depth: 7, in: 3 }, '[depth=7 in=3]'),
    reshape(
      'a dimension of one added',
      { depth: 7, channel: 3 },
      { batch: 1, depth: 7, channel: 3 },
      '[batch=1 depth=7 channel=3]',
    ),
    reshape(
      'the same names at other sizes',
      { depth: 2, height: 6, channel: 2 },
      { depth: 4, height: 3, channel: 2 },
      '[depth=4 height=3 channel=2]',
    ),
    reshape('to a scalar', { depth: 1 }, {}, '[]'),
  ],
  concat: [
    sample({
      name: 'skip and up path',
      op: OPS.concat,
      attrs: { dim: 'channel' },
      tensors: [
        tensor('x', { batch: 2, depth: 7, channel: 4 }),
        tensor('y', { batch: 2, depth: 7, channel: 3 }),
      ],
      gives: '[batch=2 depth=7 channel=7]',
    }),
    sample({
      name: 'three along depth',
      op: OPS.concat,
      attrs: { dim: 'depth' },
      tensors: [
        tensor('x', { depth: 1, height: 3 }),
        tensor('y', { depth: 4, height: 3 }),
        tensor('z', { depth: 2, height: 3 }),
      ],
      gives: '[depth=7 height=3]',
    }),
    sample({
      name: 'one alone',
      op: OPS.concat,
      attrs: { dim: 'depth' },
      tensors: [tensor('x', { depth: 7, height: 2 })],
      gives: '[depth=7 height=2]',
    }),
  ],
  slice: [
    sample({
      name: 'two dimensions',
      op: OPS.slice,
      attrs: { ranges: { depth: [1, 6], channel: [2, 3] } },
      tensors: [tensor('x', { batch: 2, depth: 7, channel: 3 })],
      gives: '[batch=2 depth=5 channel=1]',
    }),
    sample({
      name: 'the end',
      op: OPS.slice,
      attrs: { ranges: { depth: [4, 11] } },
      tensors: [tensor('x', { depth: 11, height: 2 })],
      gives: '[depth=7 height=2]',
    }),
  ],
  pad: [
    sample({
      name: 'two dimensions with a value',
      op: OPS.pad,
      attrs: { padding: { depth: [1, 2], height: [0, 3] }, value: -0.5 },
      tensors: [tensor('x', { depth: 4, height: 2, channel: 2 })],
      gives: '[depth=7 height=5 channel=2]',
    }),
    sample({
      name: 'wider than the tensor',
      op: OPS.pad,
      attrs: { padding: { depth: [4, 1] }, value: 0 },
      tensors: [tensor('x', { batch: 2, depth: 2 })],
      gives: '[batch=2 depth=7]',
    }),
  ],
} satisfies Record<string, readonly Sample[]>;
