import { describe, expect, it } from 'vitest';
import { Graph, shape, type Value } from '../core/index.ts';
import { evaluate, gradients, inputOf, mul, reduceSum } from '../ops/index.ts';
import { parameterCount } from './build.ts';
import { Context } from './context.ts';
import { feedsOf, moved, sizes } from './feeds.testing.ts';
import { segmentationLoss } from './loss/losses.ts';
import { type UNetConfig, unet, unetConfig } from './unet.ts';

function scoresFor(
  image: Record<string, number>,
  config: Partial<UNetConfig>,
  training = true,
): { ctx: Context; scores: Value } {
  const ctx = new Context({ training, seed: 3 });
  return { ctx, scores: unet(ctx, inputOf(ctx.graph, 'image', shape(image)), config) };
}

describe('unet', () => {
  it('has 5,598,144 convolution weights at base 32 without biases', () => {
    const { ctx } = scoresFor({ batch: 1, depth: 16, height: 16, width: 16, channel: 1 }, {});
    expect(parameterCount(ctx.graph, (name) => name.endsWith('/weight'))).toBe(5598144);
    expect(ctx.parameters.find((p) => p.name === 'output/bias')?.value.shape).toEqual(shape({ class: 3 }));
    expect(ctx.parameters.some((p) => p.name === 'down0/conv0/bias')).toBe(false);
  });

  it.each<Record<string, number>>([
    { batch: 1, depth: 482, height: 512, width: 512, channel: 1 },
    { batch: 2, depth: 7, height: 9, width: 11, channel: 1 },
    { batch: 1, depth: 1, height: 1, width: 2, channel: 3 },
    { batch: 3, height: 33, width: 17, channel: 5 },
  ])('keeps the sizes of %o', (image) => {
    const { scores } = scoresFor(image, { base: 4 });
    const { channel: _, ...rest } = image;
    expect(scores.shape).toEqual(shape({ ...rest, class: 3 }));
  });

  it('names weights so that their output channels split like the activations', () => {
    const { ctx } = scoresFor({ batch: 1, height: 8, width: 8, channel: 1 }, { base: 4, levels: 2 });
    const of = (name: string): string => sizes(ctx.parameters.find((p) => p.name === name)!.value);
    expect(of('down1/conv0/weight')).toBe('kernel_height=3 kernel_width=3 channel_in=4 channel=8');
    expect(of('up0/transpose/weight')).toBe('kernel_height=2 kernel_width=2 channel=4 channel_in=8');
    expect(of('output/weight')).toBe('kernel_height=1 kernel_width=1 channel_in=4 class=3');
  });

  it('has dropout everywhere but after the first convolution and the output, and none outside training', () => {
    const masks = (training: boolean): string[] =>
      scoresFor({ batch: 1, height: 8, width: 8, channel: 1 }, { base: 2, levels: 2 }, training)
        .ctx.graph.nodes.filter((node) => node.op.name === 'random')
        .map((node) => node.name);
    expect(masks(true)).toEqual([
      'down0/conv1',
      'down1/conv0',
      'down1/conv1',
      'up0',
      'up0/conv0',
      'up0/conv1',
    ]);
    expect(masks(false)).toEqual([]);
  });

  it.each(['instance', 'group'] as const)(
    'sees every slice alone where no window runs along depth, with %s norm',
    (norm) => {
      const config = { base: 2, levels: 3, norm, groups: 2, kernel: { height: 3, width: 3 } };
      const scoresOf = (depth: number, image?: Float64Array) => {
        const space = { depth, height: 5, width: 6 };
        const { ctx, scores } = scoresFor({ batch: 1, ...space, channel: 3 }, config, false);
        const feeds = feedsOf(ctx.graph, image && { image });
        return { feeds, scores: evaluate(ctx.graph, feeds, [scores])[0] };
      };
      const volume = scoresOf(4);
      for (let k = 0; k < 4; k++) {
        const slice = scoresOf(1, (volume.feeds.image as Float64Array).slice(k * 90, (k + 1) * 90));
        expect(slice.scores).toEqual(volume.scores.slice(k * 90, (k + 1) * 90));
      }
    },
  );

  it('draws different masks in different layers, and the same ones when a layer is added elsewhere', () => {
    const streams = (levels: number): Map<string, unknown> =>
      new Map(
        scoresFor({ batch: 1, height: 8, width: 8, channel: 1 }, { base: 2, levels })
          .ctx.graph.nodes.filter((node) => node.op.name === 'random')
          .map((node) => [node.name, node.call.attrs.stream]),
      );
    const two = streams(2);
    expect(new Set(two.values()).size).toBe(two.size);
    for (const [name, stream] of two) expect(streams(3).get(name)).toBe(stream);
  });

  it('refuses settings that make no network', () => {
    expect(() => unetConfig({ base: 0 })).toThrow(
      'U-Net: setting "base"; expected a whole number of at least 1, found 0',
    );
    expect(() => unetConfig({ norm: 'group', base: 12 })).toThrow('a divisor of the base width 12, found 8');
    expect(unetConfig({ base: undefined }).base).toBe(32);
    expect(() => unetConfig({ keep: 0 })).toThrow('setting "keep"');
    expect(() => unet(new Context(), inputOf(new Graph(), 'image', shape({ batch: 1, channel: 1 })))).toThrow(
      'no spatial dimension',
    );
  });
});

describe('gradients of a whole U-Net', () => {
  it.each([
    { norm: 'batch', levels: 3 },
    { norm: 'group', levels: 2, groups: 2 },
  ] as const)('match finite differences with $norm norm', (config) => {
    const { ctx, scores } = scoresFor(
      { batch: 2, depth: 3, height: 5, width: 4, channel: 1 },
      { base: 2, keep: 0.8, ...config },
    );
    const labels = inputOf(ctx.graph, 'labels', shape({ batch: 2, depth: 3, height: 5, width: 4 }), 'u8');
    const { loss } = segmentationLoss(scores, labels);
    const trained = ctx.trainable;
    const grads = gradients(
      loss,
      trained.map((p) => p.value),
    ) as Value[];
    const feeds = feedsOf(ctx.graph, { step: [5] });
    const exact = evaluate(ctx.graph, feeds, grads);
    const lossAt = (at: typeof feeds): number => evaluate(ctx.graph, at, [loss])[0][0];
    const scale = Math.max(...exact.map((g) => Math.max(...g.map(Math.abs))));
    const picked = ['down0/conv0/weight', 'down1/conv1/norm/gamma', 'up0/transpose/weight', 'output/bias'];
    for (const name of picked) {
      const at = trained.findIndex((p) => p.name === name);
      const index = exact[at].length >> 1;
      const h = 1e-5;
      const slope = (lossAt(moved(feeds, name, index, h)) - lossAt(moved(feeds, name, index, -h))) / (2 * h);
      expect(Math.abs(slope - exact[at][index]), name).toBeLessThan(1e-6 * scale);
    }
  });

  it('reach every trainable parameter', () => {
    const { ctx, scores } = scoresFor({ batch: 1, height: 4, width: 4, channel: 1 }, { base: 2, levels: 2 });
    const grads = gradients(
      reduceSum(
        mul(scores, scores),
        scores.shape.map((d) => d.name),
      ),
      ctx.trainable.map((p) => p.value),
    );
    expect(grads.every((g) => g !== undefined)).toBe(true);
  });
});
