import { describe, expect, it } from 'vitest';
import { Graph, shape, type Value } from '../../src/core/index.ts';
import {
  add,
  argmax,
  avgPoolRaw,
  broadcastTo,
  classSums,
  concat,
  convRaw,
  convTransposeRaw,
  convWeightGradRaw,
  crossEntropy,
  einsum,
  evaluate,
  gradients,
  inputOf,
  maxPoolRaw,
  OPS,
  pad,
  reduceSum,
  rename,
  reshape,
  resize,
  resizeGradRaw,
  slice,
  softmax,
  tableOf,
  transpose,
  windows,
} from '../../src/ops/index.ts';

// What operations refuse, and what they say: the operation, the dimension, what was expected, what came.

const graph = new Graph();
const x = inputOf(graph, 'x', shape({ batch: 1, height: 4, width: 5, channel: 2 }));
const labels = inputOf(graph, 'labels', shape({ batch: 1, height: 4, width: 5 }), 'u8');
const weight = inputOf(graph, 'weight', shape({ kh: 3, kw: 3, in: 2, out: 3 }));
const vector = inputOf(graph, 'vector', shape({ channel: 3 }));
const box3 = windows({ height: 3, width: 3 });

/** What is refused, and the message. */
const REFUSALS: Readonly<
  Record<string, readonly (readonly [what: string, build: () => Value, message: string])[]>
> = {
  'element-wise': [
    [
      'other sizes',
      () => add(x, vector),
      'add: inputs disagree on the size of "channel"; expected 2, found 3',
    ],
    [
      'too many inputs',
      () => graph.add(OPS.exp, {}, [x, x])[0],
      'exp: wrong number of inputs; expected 1, found 2',
    ],
    [
      'values of another graph',
      () => add(x, inputOf(new Graph(), 'y', [])),
      'add: an input belongs to another graph',
    ],
  ],
  'broadcast and reduce': [
    [
      'a lost dimension',
      () => broadcastTo(x, vector),
      '"batch" of the input is missing or differs; expected [channel=3]',
    ],
    ['a missing dimension', () => reduceSum(x, ['depth']), 'reduce_sum: cannot reduce over "depth"'],
    [
      'a table of the wrong length',
      () => tableOf(graph, shape({ a: 3 }), [1, 2]),
      'number of values; expected 3, found 2',
    ],
  ],
  convolution: [
    [
      'a missing axis',
      () => convRaw(x, weight, windows({ depth: 3, width: 3 })),
      'conv: no spatial dimension "depth"',
    ],
    [
      'another kernel',
      () => convRaw(x, weight, windows({ height: 3, width: 2 })),
      'kernel size along "width"; expected 2, found 3',
    ],
    [
      'other channels',
      () => convRaw(slice(x, { channel: [0, 1] }), weight, box3),
      'channels "channel" do not match weight dimension "in"; expected 2, found 1',
    ],
    [
      'a window that does not fit',
      () => convRaw(slice(x, { height: [0, 2] }), weight, box3),
      'the window does not fit along "height"; expected at least 3 voxels with padding, found 2 + 0 + 0',
    ],
    [
      'a stride of nothing',
      () => convRaw(x, weight, windows({ height: 3, width: 3 }, { stride: 0 })),
      'stride along "height"; expected a whole number of at least 1, found 0',
    ],
    [
      'negative padding',
      () => convRaw(x, weight, windows({ height: 3, width: 3 }, { padding: -1 })),
      'padLow along "height"; expected a whole number of at least 0, found -1',
    ],
    [
      'a size that does not lead back',
      () => convTransposeRaw(convRaw(x, weight, box3), weight, box3, shape({ height: 9, width: 5 })),
      'conv_transpose: output size along "height" does not lead back to the input',
    ],
    [
      'a gradient of another size',
      () =>
        convWeightGradRaw(x, rename(add(x, x), { channel: 'out' }), box3, {
          shape: shape({ kh: 3, kw: 3, in: 2, out: 2 }),
          dtype: 'f32',
        }),
      'conv_weight_grad: "height" of the second input; expected 2',
    ],
  ],
  pooling: [
    [
      'a missing axis',
      () => maxPoolRaw(x, windows({ depth: 2 })),
      'max_pool: no dimension "depth" in the input',
    ],
    [
      'windows of padding alone',
      () => avgPoolRaw(x, windows({ width: 2 }, { padding: 2 })),
      'avg_pool: window 0 along "width" lies wholly in the padding',
    ],
    [
      'dilated windows around the volume',
      () => maxPoolRaw(slice(x, { width: [0, 1] }), windows({ width: 2 }, { padding: 1, dilation: 2 })),
      'max_pool: window 0 along "width" lies wholly in the padding',
    ],
  ],
  structure: [
    [
      'an unknown output',
      () => einsum([x], ['depth']),
      'einsum: output dimension "depth" stands in no input',
    ],
    ['no inputs', () => einsum([], []), 'einsum: no inputs; expected at least one'],
    [
      'sizes that do not meet',
      () => einsum([x, vector], []),
      'einsum: inputs disagree on the size of "channel"',
    ],
    ['a repeated output', () => einsum([x], ['width', 'width']), 'einsum: dimension "width" appears twice'],
    [
      'half an order',
      () => transpose(x, ['width', 'height']),
      'transpose: the order does not name every dimension once',
    ],
    [
      'another number of elements',
      () => reshape(x, shape({ a: 41 })),
      'reshape: another number of elements; expected 40',
    ],
    ['an unknown name', () => rename(x, { depth: 'z' }), 'rename: no dimension "depth"'],
    ['a join of unequals', () => concat([x, labels], 'width'), 'concat: inputs differ in more than "width"'],
    ['a join along nothing', () => concat([x, x], 'depth'), 'concat: no dimension "depth"'],
    [
      'a slice outside',
      () => slice(x, { width: [2, 6] }),
      'slice: impossible range along "width"; expected 0 <= start < end <= 5, found 2 to 6',
    ],
    ['an empty slice', () => slice(x, { width: [2, 2] }), 'slice: impossible range along "width"'],
    [
      'negative padding',
      () => pad(x, { width: [-1, 0] }),
      'pad: padding along "width"; expected whole numbers of at least 0, found -1 and 0',
    ],
  ],
  resizing: [
    ['a missing axis', () => resize(x, 'linear', { depth: 3 }), 'resize: no dimension "depth" in the input'],
    [
      'no size',
      () => resizeGradRaw(x, 'nearest', { width: 0 }),
      'resize_grad: size along "width"; expected a whole number of at least 1, found 0',
    ],
  ],
  'softmax and losses': [
    [
      'a missing dimension',
      () => softmax(x, 'class'),
      'softmax: no dimension "class"; expected one of batch, height, width, channel',
    ],
    [
      'too many classes',
      () => argmax(inputOf(graph, 'wide', shape({ a: 257 })), 'a'),
      'argmax: too many positions along "a" for u8; expected at most 256, found 257',
    ],
    [
      'labels of another shape',
      () => crossEntropy(x, x, { classes: 'channel', weights: [1, 1] }),
      'cross_entropy: labels have another shape than the logits; expected [batch=1 height=4 width=5], the logits without "channel", found [batch=1 height=4 width=5 channel=2]',
    ],
    [
      'too few weights',
      () => crossEntropy(x, labels, { classes: 'channel', weights: [1] }),
      'cross_entropy: number of class weights; expected 2, found 1',
    ],
    [
      'a class that is not there',
      () => classSums(x, labels, { classes: 'channel', cls: 2 }).p,
      'class_sums: no such class; expected 0 to 1, found 2',
    ],
    [
      'to keep what is not there',
      () => crossEntropy(x, labels, { classes: 'channel', weights: [1, 1], keep: ['depth'] }),
      'cross_entropy: cannot keep "depth"',
    ],
  ],
};

for (const [family, cases] of Object.entries(REFUSALS))
  describe(family, () => {
    for (const [what, build, message] of cases)
      it(`refuses ${what}`, () => {
        expect(build).toThrow(message);
      });
  });

describe('labels', () => {
  const loss = crossEntropy(x, labels, { classes: 'channel', weights: [1, 1] });
  const [dx] = gradients(loss, [x]);
  for (const [bad, values] of [
    ['2', [2, 3]],
    ['-1', [-1]],
    ['0.5', [0.5]],
    ['NaN', [Number.NaN]],
  ] as const)
    it(`of ${bad} are refused with their place, value and range`, () => {
      const feeds = { x: new Float64Array(40), labels: new Float64Array(20) };
      feeds.labels.set(values, 7);
      const message = `label out of range at batch 0, height 1, width 2; expected a whole number from 0 to 1, found ${bad}`;
      expect(() => evaluate(graph, feeds, [loss])).toThrow(`cross_entropy: ${message}`);
      expect(() => evaluate(graph, feeds, [dx!])).toThrow(`cross_entropy_grad "grad": ${message}`);
    });
});
