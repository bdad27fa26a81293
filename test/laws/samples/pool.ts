import type { Window } from '../../../src/core/index.ts';
import { shape, showShape } from '../../../src/core/index.ts';
import { OPS } from '../../../src/ops/index.ts';
import { type Sample, sample, tensor } from '../sample.ts';

// One table of windows serves both poolings and their gradients.

type Sizes = Readonly<Record<string, number>>;

interface Case {
  readonly name: string;
  readonly input: Sizes;
  readonly output: Sizes;
  readonly window: Readonly<Record<string, Window>>;
}

const w = (kernel: number, stride: number, more: Partial<Window> = {}): Window => ({
  kernel,
  stride,
  dilation: 1,
  padLow: 0,
  padHigh: 0,
  ...more,
});

const CASES: readonly Case[] = [
  {
    name: '3-D, kernel 2 stride 2',
    input: { batch: 2, depth: 7, height: 4, width: 2, channel: 2 },
    output: { batch: 2, depth: 3, height: 2, width: 1, channel: 2 },
    window: { depth: w(2, 2), height: w(2, 2), width: w(2, 2) },
  },
  {
    name: '2-D, kernel 3 stride 2: overlapping',
    input: { batch: 1, height: 7, width: 6, channel: 2 },
    output: { batch: 1, height: 4, width: 3, channel: 2 },
    window: { height: w(3, 2, { padLow: 1, padHigh: 1 }), width: w(3, 2, { padHigh: 1 }) },
  },
  {
    name: '2-D, kernel 3 stride 1: overlapping',
    input: { height: 7, width: 5, channel: 2 },
    output: { height: 7, width: 3, channel: 2 },
    window: { height: w(3, 1, { padLow: 1, padHigh: 1 }), width: w(3, 1) },
  },
  {
    name: '1-D, stride wider than the kernel',
    input: { batch: 2, width: 8, channel: 2 },
    output: { batch: 2, width: 3, channel: 2 },
    window: { width: w(2, 3) },
  },
  {
    name: '1-D, dilation 2, asymmetric padding',
    input: { width: 9, channel: 3 },
    output: { width: 4, channel: 3 },
    window: { width: w(3, 2, { dilation: 2, padLow: 2 }) },
  },
  {
    name: '1-D, kernel 7: wider than a block',
    input: { width: 7, channel: 2 },
    output: { width: 7, channel: 2 },
    window: { width: w(7, 1, { padLow: 3, padHigh: 3 }) },
  },
  {
    name: '1-D, kernel 4 stride 3',
    input: { batch: 2, width: 7, channel: 2 },
    output: { batch: 2, width: 2, channel: 2 },
    window: { width: w(4, 3) },
  },
];

const text = (sizes: Sizes): string => showShape(shape(sizes));
const MODES = [true, false] as const;
const named = (c: Case, countPadding: boolean): string => `${c.name}${countPadding ? '' : ', inside only'}`;

export const poolSamples = {
  max_pool: CASES.map((c) =>
    sample({
      name: c.name,
      op: OPS.max_pool,
      attrs: { window: c.window },
      tensors: [tensor('x', c.input)],
      gives: text(c.output),
    }),
  ),
  max_pool_grad: CASES.map((c) =>
    sample({
      name: c.name,
      op: OPS.max_pool_grad,
      attrs: { window: c.window },
      tensors: [tensor('x', c.input), tensor('dy', c.output)],
      gives: text(c.input),
      differentiable: [],
    }),
  ),
  avg_pool: MODES.flatMap((countPadding) =>
    CASES.map((c) =>
      sample({
        name: named(c, countPadding),
        op: OPS.avg_pool,
        attrs: { window: c.window, countPadding },
        tensors: [tensor('x', c.input)],
        gives: text(c.output),
      }),
    ),
  ),
  avg_pool_grad: MODES.flatMap((countPadding) =>
    CASES.map((c) =>
      sample({
        name: named(c, countPadding),
        op: OPS.avg_pool_grad,
        attrs: { window: c.window, countPadding, size: c.input },
        tensors: [tensor('dy', c.output)],
        gives: text(c.input),
      }),
    ),
  ),
} satisfies Record<string, readonly Sample[]>;
