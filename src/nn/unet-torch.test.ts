import { expect, it } from 'vitest';
import { shape, type Value } from '../core/index.ts';
import { evaluate, gradients } from '../ops/index.ts';
import { buildTraining } from './build.ts';
import { feedsOf } from './feeds.testing.ts';

// Numbers of the same network written in PyTorch 2.13 in float64: conv3d, batch_norm, leaky_relu, max_pool3d with ceil_mode,
// conv_transpose3d cut to the skip's size, the loss by hand. The weights and images are those of feedsOf.
const TORCH = {
  loss: 5.36700170898877,
  cross_entropy: 6.759323027141273,
  dice_case: -0.20195770364020504,
  dice_global: -0.2026094236022865,
};
/** Euclidean norm and first element of some gradients. */
const GRADIENTS: Readonly<Record<string, readonly [number, number]>> = {
  'down0/conv0/weight': [5.289402746040048, 0.8944211853030739],
  'down1/conv1/norm/gamma': [0.36139340291778876, 0.08183665051894028],
  'down2/conv0/norm/beta': [0.15494144940362517, -0.09196396343592621],
  'up1/transpose/weight': [0.43840066324125604, -0.0010655943711842262],
  'up0/conv0/weight': [2.544829769881468, -0.09315515348430503],
  'output/bias': [1.340248474654998, 1.0377690112345515],
};

it('loss and gradients of a U-Net with odd sizes are those of PyTorch', () => {
  const image = shape({ batch: 2, depth: 5, height: 4, width: 3, channel: 1 });
  const { graph, loss, parameters } = buildTraining({ image, network: { base: 2, levels: 3, keep: 1 } });
  const names = Object.keys(GRADIENTS);
  const wanted = names.map((name) => parameters.find((p) => p.name === name)!.value);
  const grads = gradients(loss.loss, wanted) as Value[];
  const outputs = Object.keys(TORCH).map((name) => graph.outputs.get(name)!);
  const values = evaluate(graph, feedsOf(graph), [...grads, ...outputs]);
  names.forEach((name, i) => {
    expect(Math.hypot(...values[i]), name).toBeCloseTo(GRADIENTS[name][0], 10);
    expect(values[i][0], name).toBeCloseTo(GRADIENTS[name][1], 10);
  });
  Object.values(TORCH).forEach((expected, i) => {
    expect(values[names.length + i][0]).toBeCloseTo(expected, 12);
  });
});
