import type { Graph } from '../../../src/core/index.ts';
import { shape, volume } from '../../../src/core/index.ts';
import { OPS, variableOf } from '../../../src/ops/index.ts';
import { labelTensor, type Sample, sample, sampleOf, spread, type Tensor, tensor } from '../sample.ts';

const dims = shape({ batch: 2, depth: 7, channel: 3 });
const text = '[batch=2 depth=7 channel=3]';

const asVariable = (graph: Graph, { name, shape, dtype }: Tensor) =>
  variableOf(graph, { name, shape, dtype, init: { kind: 'constant', value: 0 }, trainable: true });

/** A tensor that is itself the node under test. */
function source(name: string, enter: (graph: Graph, t: Tensor) => ReturnType<typeof asVariable>): Sample {
  const fed = tensor('x', { batch: 2, depth: 7, channel: 3 });
  return sampleOf({
    name,
    tensors: [fed],
    gives: text,
    differentiable: [],
    build(graph) {
      const value = enter(graph, fed);
      return { node: value.node, inputs: [], outputs: [value] };
    },
  });
}

const random = (distribution: 'uniform' | 'normal' | 'bernoulli', tensors: readonly Tensor[]): Sample =>
  sample({
    name: distribution,
    op: OPS.random,
    attrs: { shape: dims, dtype: 'f32', distribution, seed: 7, stream: 3_000_000_000, keep: 0.4 },
    tensors,
    gives: text,
    differentiable: [],
  });

export const sourceSamples = {
  input: [
    source(
      'image',
      (graph, t) => graph.add(OPS.input, { name: t.name, shape: t.shape, dtype: t.dtype }, [])[0],
    ),
  ],
  variable: [source('weight', asVariable)],
  assign: [
    sample({
      name: 'new value',
      op: OPS.assign,
      attrs: { name: 'old' },
      tensors: [tensor('old', { depth: 7, channel: 3 }), tensor('value', { depth: 7, channel: 3 })],
      gives: '[depth=7 channel=3]',
      differentiable: [],
      enter: (graph, t) =>
        t.name === 'old'
          ? asVariable(graph, t)
          : graph.add(OPS.input, { name: t.name, shape: t.shape, dtype: t.dtype }, [])[0],
    }),
  ],
  table: [
    sample({
      name: 'numbers',
      op: OPS.table,
      attrs: { shape: dims, dtype: 'f32', values: [...spread(volume(dims))] },
      tensors: [],
      gives: text,
    }),
  ],
  fill: [
    sample({
      name: 'number',
      op: OPS.fill,
      attrs: { shape: dims, dtype: 'f32', value: 0.75 },
      tensors: [],
      gives: text,
    }),
    sample({
      name: 'scalar',
      op: OPS.fill,
      attrs: { shape: [], dtype: 'f32', value: -2 },
      tensors: [],
      gives: '[]',
    }),
  ],
  random: [
    random('uniform', []),
    random('normal', []),
    random('bernoulli', []),
    random('uniform', [labelTensor('step', {}, 5, 'i32')]),
  ],
} satisfies Record<string, readonly Sample[]>;
