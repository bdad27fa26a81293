import { describe, expect, it } from 'vitest';
import { BYTES, Graph, mesh, type Node, shape, type Value, volume } from '../../src/core/index.ts';
import { nullDevice } from '../../src/machine/index.ts';
import { buildPrediction, buildTraining } from '../../src/nn/index.ts';
import { OPS, type OpName } from '../../src/ops/index.ts';
import { kernelWork, makePlan } from '../../src/plan/index.ts';
import { loopBoxes, splitsOf } from './blocks.ts';
import { SAMPLES } from './samples.ts';

// Floating-point operations, from which times and splits are predicted.

const names = Object.keys(OPS) as OpName[];

const size = ({ shape: dims }: Value): number => volume(dims);
const input = ({ call }: Node, n = 0): number => volume(call.inputs[n].shape);
const last = (dims: { readonly shape: readonly { readonly size: number }[] }): number =>
  dims.shape.at(-1)!.size;

/** Element-wise: so many operations for an element of the output. */
const each =
  (operations: number) =>
  ({ outputs }: Node): number =>
    operations * size(outputs[0]);
/** What only moves numbers. */
const none = (): number => 0;
/** Each element of the input is taken once. */
const ofInput = (node: Node): number => input(node);

/** Positions that a window has in its kernel, and a step of it along all axes, from the operation's attributes. */
function windowOf({ call }: Node): { readonly kernel: number; readonly stride: number } {
  const { window } = call.attrs as { window: Record<string, { kernel: number; stride: number }> };
  const product = (key: 'kernel' | 'stride') => Object.values(window).reduce((n, axis) => n * axis[key], 1);
  return { kernel: product('kernel'), stride: product('stride') };
}

/** Neighbours that a position of a resized tensor is made of: one, or two along each axis that is resized. */
function neighbours({ call }: Node): number {
  const { kind, size: axes } = call.attrs as { kind: string; size: object };
  return kind === 'nearest' ? 1 : 2 ** Object.keys(axes).length;
}

/** A product and a sum for every choice of all indices that the operands have. */
function products({ call }: Node): number {
  const sizes = new Map(
    call.inputs.flatMap((type) => type.shape.map((dim) => [dim.name, dim.size] as const)),
  );
  return call.inputs.length * [...sizes.values()].reduce((n, extent) => n * extent, 1);
}

/**
 * Operations by the shapes of tensors alone. A transcendental function counts as 8, a power and a random number as 16, a softmax as 10
 * and its gradient as 12 a class.
 */
const OPERATIONS: Readonly<Record<OpName, (node: Node) => number>> = {
  ...{ input: none, variable: none, assign: none, table: none, fill: none, cast: none, broadcast: none },
  ...{ transpose: none, reshape: none, concat: none, slice: none, pad: none },
  ...{ neg: each(1), abs: each(1), sign: each(1), square: each(1), sqrt: each(1), rsqrt: each(1) },
  ...{ reciprocal: each(1), floor: each(1), leakyRelu: each(1), leakyReluGrad: each(1), add: each(1) },
  ...{ sub: each(1), mul: each(1), div: each(1), minimum: each(1), maximum: each(1), less: each(1) },
  ...{ lessEqual: each(1), equal: each(1), select: each(1) },
  ...{
    exp: each(8),
    log: each(8),
    tanh: each(8),
    sigmoid: each(8),
    erf: each(16),
    pow: each(16),
    random: each(16),
  },
  ...{ reduce_sum: ofInput, reduce_max: ofInput, reduce_min: ofInput },
  einsum: products,
  // Every output is a sum over the weights of its channel; every gradient of a weight one over the outputs.
  conv: ({ call, outputs }) => (2 * size(outputs[0]) * volume(call.inputs[1].shape)) / last(outputs[0]),
  conv_weight_grad: ({ call, outputs }) =>
    (2 * volume(call.inputs[1].shape) * size(outputs[0])) / last(outputs[0]),
  // As a convolution from the output to the input; a stride leaves a position of the output its part of the taps.
  conv_transpose: (node) =>
    (2 * size(node.outputs[0]) * input(node, 1)) / last(node.outputs[0]) / windowOf(node).stride,
  ...{ max_pool: (node) => windowOf(node).kernel * size(node.outputs[0]) },
  ...{ avg_pool: (node) => windowOf(node).kernel * size(node.outputs[0]) },
  ...{ avg_pool_grad: (node) => windowOf(node).kernel * size(node.outputs[0]) },
  // Who was the largest is found again.
  max_pool_grad: (node) => 2 * windowOf(node).kernel * size(node.outputs[0]),
  resize: (node) => 2 * neighbours(node) * size(node.outputs[0]),
  resize_grad: (node) => 2 * neighbours(node) * size(node.outputs[0]),
  ...{ softmax: each(10), argmax: ofInput },
  ...{ cross_entropy: (node) => 10 * input(node), class_sums: (node) => 10 * input(node) },
  ...{ cross_entropy_grad: each(12), class_sums_grad: each(12) },
};

describe('the cost of an operation', () => {
  it.each(names)('%s: is that of a count by shapes', (name) => {
    for (const sample of SAMPLES[name]) {
      const { node } = sample.build(new Graph());
      const whole = node.op.loops(node.call).map((loop) => ({ start: 0, end: loop.size }));
      expect(node.op.cost(node.call, whole).flops, sample.name).toBeCloseTo(OPERATIONS[name](node), 6);
    }
  });

  it.each(names)('%s: a kernel of it moves the bytes of what it reads and writes', (name) => {
    let kernels = 0;
    for (const sample of SAMPLES[name]) {
      const graph = new Graph();
      const { node, outputs } = sample.build(graph);
      for (const [n, value] of outputs.entries()) graph.output(`out${n}`, value);
      const { steps } = makePlan(graph, mesh({}), {}, nullDevice().target);
      for (const step of steps) {
        if (step.kind !== 'kernel' || step.nodes.length > 1 || step.nodes[0].op.name !== name) continue;
        const bytes = (values: Iterable<Value>): number =>
          [...new Set(values)].reduce((sum, value) => sum + BYTES[value.dtype] * size(value), 0);
        expect(kernelWork(step, 0).bytes, sample.name).toBe(bytes(node.inputs) + bytes(node.outputs));
        kernels++;
      }
    }
    // Inputs and variables are there; nobody reads what a table or an assignment alone makes.
    if (OPS[name].role === 'compute') expect(kernels).toBeGreaterThan(0);
  });

  it.each(names)('%s: that of its parts adds up to that of the whole', (name) => {
    for (const sample of SAMPLES[name]) {
      const { op, call } = sample.build(new Graph()).node;
      const whole = op.loops(call).map(({ size }) => ({ start: 0, end: size }));
      const total = op.cost(call, whole).flops;
      for (const split of splitsOf(op.loops(call))) {
        const shares = loopBoxes(split.cuts).map((box) => op.cost(call, box).flops);
        expect(
          shares.reduce((sum, flops) => sum + flops, 0),
          `${sample.name}, ${split.name}`,
        ).toBeCloseTo(total, 6);
      }
    }
  });

  it('is that of the multiplications and additions of the paper\u2019s network', () => {
    const image = shape({ batch: 1, depth: 128, height: 128, width: 128, channel: 1 });
    const network = { base: 16, levels: 4, classes: 3 };
    const flops = ({ nodes }: Graph): number =>
      nodes.reduce((sum, { op, call }) => {
        if (op.weight === 'none') return sum;
        const whole = op.loops(call).map(({ size }) => ({ start: 0, end: size }));
        return sum + op.cost(call, whole).flops;
      }, 0);
    // Channels at each of two convolutions a level, down and up, and voxels: worked out from the widths 16 to 128.
    const forward = contractions(128, 16, 4);
    expect(flops(buildPrediction({ image, network }).graph)).toBe(forward);
    expect(forward / 1e9).toBeCloseTo(221, -1);
    // Every contraction once more for its input (that of the image goes when the graph is partitioned) and for its weight.
    expect(flops(buildTraining({ image, network }).graph)).toBe(3 * forward);
  });
});

/** Operations of the contractions of a U-Net: two 3x3x3 convolutions a level and side, 2x2x2 up, 1x1x1 to three classes. */
function contractions(size: number, base: number, levels: number): number {
  const conv = (voxels: number, taps: number, from: number, to: number) => 2 * voxels * taps * from * to;
  let all = 0;
  for (let level = 0; level < levels; level++) {
    const [voxels, width] = [(size / 2 ** level) ** 3, base * 2 ** level];
    all += conv(voxels, 27, level === 0 ? 1 : width / 2, width) + conv(voxels, 27, width, width);
    if (level === levels - 1) continue;
    // Each voxel of the level is reached by one tap of the transposed convolution.
    all +=
      conv(voxels, 1, 2 * width, width) + conv(voxels, 27, 2 * width, width) + conv(voxels, 27, width, width);
  }
  return all + conv(size ** 3, 1, base, 3);
}
