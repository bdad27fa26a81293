import type { Window } from '../../../src/core/index.ts';
import { shape, showShape } from '../../../src/core/index.ts';
import { OPS, type Windows } from '../../../src/ops/index.ts';
import { type Sample, sample, tensor } from '../sample.ts';

// One table of windows serves the convolution (input -> output), its transpose (output -> input) and its weight gradient.

type Sizes = Readonly<Record<string, number>>;

interface Case {
  readonly name: string;
  /** Batch dimensions in front of space; none for `{}`. */
  readonly batch?: Sizes;
  /** Spatial sizes of the convolution's input and output. */
  readonly input: Sizes;
  readonly output: Sizes;
  readonly window: Readonly<Record<string, Partial<Window>>>;
  readonly channels?: readonly [number, number];
  /** Name of the channel dimension of the output. */
  readonly channel?: string;
}

/** A window of kernel k with the same padding on both sides. */
const k = (kernel: number, pad = 0, more: Partial<Window> = {}): Partial<Window> => ({
  kernel,
  padLow: pad,
  padHigh: pad,
  ...more,
});

const CASES: readonly Case[] = [
  {
    name: '1-D, kernel 3',
    input: { width: 7 },
    output: { width: 7 },
    window: { width: k(3, 1) },
    batch: { batch: 2 },
  },
  {
    name: '1-D, kernel 7: wider than a block',
    input: { width: 7 },
    output: { width: 7 },
    window: { width: k(7, 3) },
  },
  {
    name: '1-D, dilation 3',
    input: { width: 7 },
    output: { width: 7 },
    window: { width: k(3, 3, { dilation: 3 }) },
  },
  {
    name: '1-D, stride 3, dilation 2',
    input: { width: 11 },
    output: { width: 4 },
    window: { width: k(3, 2, { stride: 3, dilation: 2 }) },
  },
  {
    name: '2-D, no padding',
    input: { height: 7, width: 5 },
    output: { height: 5, width: 4 },
    window: { height: k(3), width: k(2) },
  },
  {
    name: '2-D, kernels 2 and 4, batch 2',
    batch: { batch: 2 },
    input: { height: 7, width: 4 },
    output: { height: 7, width: 4 },
    window: { height: k(2, 0, { padHigh: 1 }), width: k(4, 1, { padHigh: 2 }) },
  },
  {
    name: '2-D, stride 2 on odd and even sizes',
    input: { height: 7, width: 6 },
    output: { height: 4, width: 3 },
    window: { height: k(3, 1, { stride: 2 }), width: k(3, 1, { stride: 2 }) },
  },
  {
    name: '2-D, stride wider than the kernel',
    input: { height: 8, width: 7 },
    output: { height: 3, width: 4 },
    window: { height: k(2, 0, { stride: 3 }), width: k(1, 0, { stride: 2 }) },
  },
  {
    name: '2-D, asymmetric padding',
    input: { height: 7, width: 3 },
    output: { height: 7, width: 5 },
    window: { height: k(3, 0, { padLow: 2 }), width: k(3, 1, { padHigh: 3 }) },
  },
  {
    name: '2-D, kernel 4 stride 2',
    input: { height: 8, width: 7 },
    output: { height: 4, width: 3 },
    window: { height: k(4, 1, { stride: 2 }), width: k(4, 1, { stride: 2 }) },
    batch: { batch: 2 },
  },
  {
    name: '2-D, channel of one name',
    input: { height: 3, width: 4 },
    output: { height: 3, width: 4 },
    window: { height: k(3, 1), width: k(3, 1) },
    channels: [3, 4],
    channel: 'channel',
  },
  {
    name: '3-D, kernel 3',
    batch: { batch: 1 },
    input: { depth: 7, height: 3, width: 2 },
    output: { depth: 7, height: 3, width: 2 },
    window: { depth: k(3, 1), height: k(3, 1), width: k(3, 1) },
  },
  {
    name: '3-D, kernel 1',
    batch: { batch: 2 },
    input: { depth: 3, height: 2, width: 3 },
    output: { depth: 3, height: 2, width: 3 },
    window: { depth: k(1), height: k(1), width: k(1) },
    channels: [5, 3],
  },
  {
    name: '3-D, kernel 2 stride 2',
    batch: { batch: 1 },
    input: { depth: 7, height: 4, width: 2 },
    output: { depth: 3, height: 2, width: 1 },
    window: { depth: k(2, 0, { stride: 2 }), height: k(2, 0, { stride: 2 }), width: k(2, 0, { stride: 2 }) },
  },
  {
    name: '3-D, kernel 3 stride 2',
    input: { depth: 7, height: 3, width: 4 },
    output: { depth: 4, height: 2, width: 2 },
    window: { depth: k(3, 1, { stride: 2 }), height: k(3, 1, { stride: 2 }), width: k(3, 1, { stride: 2 }) },
  },
  {
    name: '3-D over two of its axes',
    input: { depth: 3, height: 4, width: 3 },
    output: { depth: 3, height: 4, width: 2 },
    window: { height: k(3, 1), width: k(2) },
  },
];

const windowsOf = ({ window }: Case): Windows =>
  Object.fromEntries(
    Object.entries(window).map(([axis, w]) => [
      axis,
      { kernel: 1, stride: 1, dilation: 1, padLow: 0, padHigh: 0, ...w },
    ]),
  );

/** Shapes of the image, the weight and the output of a case, as sizes by name. */
function sizesOf(c: Case): { x: Sizes; weight: Sizes; y: Sizes } {
  const [i, o] = c.channels ?? [2, 3];
  const kernel = Object.entries(windowsOf(c)).map(([axis, w]) => [`kernel_${axis}`, w.kernel] as const);
  return {
    x: { ...c.batch, ...c.input, [c.channel ?? 'in']: i },
    weight: { ...Object.fromEntries(kernel), in: i, out: o },
    y: { ...c.batch, ...c.output, [c.channel ?? 'out']: o },
  };
}

const text = (sizes: Sizes): string => showShape(shape(sizes));

export const convolutionSamples = {
  conv: CASES.map((c) => {
    const { x, weight, y } = sizesOf(c);
    return sample({
      name: c.name,
      op: OPS.conv,
      attrs: { window: windowsOf(c), channel: c.channel },
      tensors: [tensor('x', x), tensor('weight', weight)],
      gives: text(y),
    });
  }),
  conv_transpose: CASES.map((c) => {
    const { x, weight, y } = sizesOf(c);
    const size = Object.fromEntries(Object.keys(c.window).map((axis) => [axis, c.input[axis]]));
    return sample({
      name: c.name,
      op: OPS.conv_transpose,
      attrs: { window: windowsOf(c), size, channel: c.channel },
      tensors: [tensor('y', y), tensor('weight', weight)],
      gives: text(x),
    });
  }),
  conv_weight_grad: CASES.map((c) => {
    const { x, weight, y } = sizesOf(c);
    return sample({
      name: c.name,
      op: OPS.conv_weight_grad,
      attrs: { window: windowsOf(c), weight: shape(weight) },
      tensors: [tensor('x', x), tensor('y', y)],
      gives: text(weight),
    });
  }),
} satisfies Record<string, readonly Sample[]>;
