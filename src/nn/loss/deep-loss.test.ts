import { expect, it } from 'vitest';
import { Graph, shape } from '../../core/index.ts';
import { evaluate, gradients, inputOf } from '../../ops/index.ts';
import { Context } from '../context.ts';
import { difference, feedsOf, sizes } from '../feeds.testing.ts';
import { unetLevels } from '../unet.ts';
import { deepLoss } from './deep-loss.ts';
import { HOU2019_LOSS, segmentationLoss } from './losses.ts';

it('weighs lower resolutions by half each, against the nearest labels', () => {
  const graph = new Graph();
  const whole = inputOf(graph, 'whole', shape({ batch: 1, width: 5, class: 3 }));
  const half = inputOf(graph, 'half', shape({ batch: 1, width: 3, class: 3 }));
  const labels = inputOf(graph, 'labels', shape({ batch: 1, width: 5 }), 'u8');
  const halfLabels = inputOf(graph, 'half_labels', shape({ batch: 1, width: 3 }), 'u8');
  const deep = deepLoss([whole, half], labels);
  const [high, low] = [segmentationLoss(whole, labels), segmentationLoss(half, halfLabels)];
  // Voxel o of 3 has its centre in voxel floor((2 o + 1) * 5 / 6) of 5: 0, 2, 4.
  const feeds = feedsOf(graph, { labels: [2, 1, 1, 0, 2], half_labels: [2, 1, 2] });
  const [total, first, second] = evaluate(graph, feeds, [deep.loss, high.loss, low.loss]).map((v) => v[0]);
  expect(first).not.toBeCloseTo(second, 3);
  expect(total).toBeCloseTo((first + second / 2) / 1.5, 12);
  expect(deep.parts.crossEntropy.shape).toEqual([]);
});

it('reaches all levels of the way up but the bottom, with gradients that follow the loss', () => {
  const ctx = new Context({ seed: 3, training: true });
  const image = inputOf(ctx.graph, 'image', shape({ batch: 1, height: 7, width: 9, channel: 1 }));
  const levels = unetLevels(ctx, image, { base: 2, levels: 4, keep: 1 }, true);
  expect(levels.map(sizes)).toEqual([
    'batch=1 height=7 width=9 class=3',
    'batch=1 height=4 width=5 class=3',
    'batch=1 height=2 width=3 class=3',
  ]);
  const labels = inputOf(ctx.graph, 'labels', shape({ batch: 1, height: 7, width: 9 }), 'u8');
  const { loss } = deepLoss(levels, labels, HOU2019_LOSS);
  const wrt = ctx.trainable.filter(({ name }) => /up[12]\/(output|conv1)\/(weight|bias)/.test(name));
  expect(wrt.map(({ name }) => name)).toContain('up2/output/weight');
  const grads = gradients(
    loss,
    wrt.map(({ value }) => value),
  );
  const feeds = feedsOf(ctx.graph);
  const lossAt = (at: typeof feeds): number => evaluate(ctx.graph, at, [loss])[0][0];
  const exact = evaluate(
    ctx.graph,
    feeds,
    grads.map((grad) => grad!),
  );
  for (const [i, { name }] of wrt.entries()) {
    const index = exact[i].length >> 1;
    const slope = difference(lossAt, feeds, name, index);
    expect(Math.abs(slope - exact[i][index]), name).toBeLessThan(1e-6);
    expect(Math.abs(slope), name).toBeGreaterThan(1e-7);
  }
});
