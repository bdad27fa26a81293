import { describe, expect, it } from 'vitest';
import { shape, type Value } from '../core/index.ts';
import { evaluate, inputOf } from '../ops/index.ts';
import { Context, streamOf } from './context.ts';
import { feedsOf, sizes } from './feeds.testing.ts';
import { avgPool, conv, convTranspose, dense, dropout, maxPool, upsample } from './layers.ts';

function context(image: Record<string, number>): { ctx: Context; x: Value } {
  const ctx = new Context({ seed: 1 });
  return { ctx, x: inputOf(ctx.graph, 'x', shape(image)) };
}

describe('layers', () => {
  it('conv: kernels per axis, stride, dilation, bias and the first weights', () => {
    const { ctx, x } = context({ batch: 1, depth: 7, height: 9, width: 11, channel: 5 });
    const kernel = { depth: 1, height: 3, width: 4 };
    const y = conv(ctx, x, {
      filters: 8,
      kernel,
      stride: { height: 2 },
      dilation: { width: 2 },
      bias: true,
      slope: 0.1,
    });
    expect(sizes(y)).toBe('batch=1 depth=7 height=5 width=11 channel=8');
    const [weight, bias] = ctx.parameters;
    expect(weight.name).toBe('conv/weight');
    expect(sizes(weight.value)).toBe('kernel_depth=1 kernel_height=3 kernel_width=4 channel_in=5 channel=8');
    expect(weight.value.node.call.attrs.init).toEqual({
      kind: 'normal',
      deviation: Math.sqrt(2 / (1.01 * 60)),
    });
    expect(sizes(bias.value)).toBe('channel=8');
    conv(ctx, y, { filters: 2, kernel: 1 });
    expect(ctx.parameters[2].name).toBe('conv_1/weight');
  });

  it('conv over some axes only leaves the others alone', () => {
    const { ctx, x } = context({ batch: 1, depth: 7, height: 9, channel: 2 });
    expect(sizes(conv(ctx, x, { filters: 3, kernel: { height: 3 } }))).toBe(
      'batch=1 depth=7 height=9 channel=3',
    );
    expect(() => conv(ctx, x, { filters: 3, kernel: { wide: 3 } })).toThrow(
      'conv "conv_1": no dimension "wide"',
    );
    expect(() => conv(ctx, x, { filters: 0, kernel: 3 })).toThrow(
      'conv "conv_2": filters; expected a whole number of at least 1, found 0',
    );
  });

  it.each([1, 2, 3, 7, 8])('pooling and its transposed convolution restore %i voxels', (size) => {
    const { ctx, x } = context({ batch: 1, height: size, width: 5, channel: 2 });
    const down = maxPool(x, { height: 2 }, { padding: 'ceil' });
    expect(sizes(down)).toBe(`batch=1 height=${Math.ceil(size / 2)} width=5 channel=2`);
    const up = convTranspose(ctx, down, { filters: 3, kernel: { height: 2 }, stride: 2, onto: x.shape });
    expect(sizes(up)).toBe(`batch=1 height=${size} width=5 channel=3`);
  });

  it('pools an odd rest by what is there', () => {
    const { ctx, x } = context({ batch: 1, height: 3, channel: 1 });
    const feeds = feedsOf(ctx.graph, { x: [-3, -1, -2] });
    const padding = 'ceil' as const;
    const values = evaluate(ctx.graph, feeds, [
      maxPool(x, 2, { padding }),
      avgPool(x, 2, { padding }),
      maxPool(x, 2),
    ]);
    expect(values.map((v) => [...v])).toEqual([[-1, -2], [-2, -2], [-1]]);
  });

  it('convTranspose without a target multiplies sizes by the stride', () => {
    const { ctx, x } = context({ batch: 1, height: 4, width: 3, channel: 2 });
    const y = convTranspose(ctx, x, { filters: 2, kernel: 3, stride: 2, bias: true, padding: 1 });
    expect(sizes(y)).toBe('batch=1 height=8 width=6 channel=2');
  });

  it('upsample takes the sizes of another tensor', () => {
    const { ctx, x } = context({ batch: 1, height: 2, channel: 1 });
    const y = upsample(x, shape({ batch: 1, height: 4, channel: 9 }), 'nearest');
    expect([...evaluate(ctx.graph, feedsOf(ctx.graph, { x: [1, 2] }), [y])[0]]).toEqual([1, 1, 2, 2]);
    expect(sizes(y)).toBe('batch=1 height=4 channel=1');
  });

  it('dense is a matrix product over the channels', () => {
    const { ctx, x } = context({ batch: 2, channel: 2 });
    const y = dense(ctx, x, { filters: 1, out: 'score' });
    const feeds = feedsOf(ctx.graph, { x: [1, 2, 3, 4], 'dense/weight': [10, 1], 'dense/bias': [0.5] });
    expect([...evaluate(ctx.graph, feeds, [y])[0]]).toEqual([12.5, 34.5]);
    expect(sizes(y)).toBe('batch=2 score=1');
  });

  it('dropout keeps the mean, changes with the step and stays the same for a step', () => {
    const { ctx, x } = context({ batch: 1, width: 2000, channel: 1 });
    const y = dropout(ctx, x, 0.8);
    const at = (step: number): Float64Array =>
      evaluate(ctx.graph, feedsOf(ctx.graph, { x: new Array(2000).fill(1), step: [step] }), [y])[0];
    const first = at(0);
    expect(first.reduce((a, b) => a + b) / 2000).toBeCloseTo(1, 1);
    expect([...at(0)]).toEqual([...first]);
    expect([...at(1)]).not.toEqual([...first]);
    expect(() => dropout(ctx, x, 0)).toThrow('keep; expected above 0, at most 1, found 0');
  });
});

describe('context', () => {
  it('refuses two variables of one name and impossible seeds', () => {
    const ctx = new Context();
    ctx.variable('a', [], { kind: 'constant', value: 0 });
    expect(() => ctx.variable('a', [], { kind: 'constant', value: 0 })).toThrow(
      'two variables are named "a"',
    );
    expect(() => new Context({ seed: -1 })).toThrow('impossible seed');
  });

  it('hashes paths to distinct 32-bit numbers', () => {
    const paths = Array.from({ length: 2000 }, (_, i) => streamOf(`down${i % 10}/conv${i}/random#0`));
    expect(new Set(paths).size).toBe(2000);
    expect(paths.every((p) => Number.isInteger(p) && p >= 0 && p < 2 ** 32)).toBe(true);
  });
});
