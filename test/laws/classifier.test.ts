import { describe, expect, it } from 'vitest';
import { type Graph, type Layout, mesh, type Shape, shape, uniform, volume } from '../../src/core/index.ts';
import { cpuDevice, type Device, referenceDevice } from '../../src/machine/index.ts';
import {
  Context,
  classProbabilities,
  evenLoss,
  networkConfig,
  networkLevels,
  type PerAxis,
  segmentationLoss,
} from '../../src/nn/index.ts';
import { gradients, inputOf } from '../../src/ops/index.ts';
import { Session } from '../../src/run/index.ts';
import { distance, type Results } from './unet.ts';

// One label an image: loss, probabilities and every gradient of a classifier, on meshes whose cuts are uneven: as one rank, bit for
// bit on the CPU device.

const VOLUMES = shape({ batch: 3, depth: 7, height: 6, width: 9, channel: 1 });
const PICTURES = shape({ batch: 2, depth: 1, height: 21, width: 17, channel: 3 });

function classifier(image: Shape, kernel: PerAxis, storage: 'f32' | 'bf16' = 'f32'): Graph {
  const ctx = new Context({ seed: 5, training: true, storage });
  const config = networkConfig({ kind: 'classifier', base: 2, levels: 3, keep: 0.8, classes: 3, kernel });
  const [scores] = networkLevels(ctx, inputOf(ctx.graph, 'image', image), config, false);
  const labels = inputOf(ctx.graph, 'labels', scores.shape.slice(0, -1), 'u8');
  void ctx.step;
  const { loss } = segmentationLoss(scores, labels, {
    ...evenLoss(3, 0),
    terms: ['ce'],
    weights: [1, 2, 3],
    dice: [],
  });
  const wrt = ctx.trainable;
  ctx.graph.output('loss', loss);
  ctx.graph.output('probabilities', classProbabilities(scores));
  gradients(
    loss,
    wrt.map(({ value }) => value),
  ).forEach((gradient, i) => {
    ctx.graph.output(wrt[i].name, gradient!);
  });
  return ctx.graph;
}

async function runs(
  graph: Graph,
  image: Shape,
  device: Device,
  axes: Record<string, number> = {},
  layout: Layout = {},
): Promise<Results> {
  const program = await new Session({ device, mesh: mesh(axes), layout, seed: 9 }).load(graph);
  const found = await program.run({
    image: Float32Array.from({ length: volume(image) }, (_, i) => uniform(1, 2, 3, i)),
    labels: Uint8Array.from({ length: image[0].size }, (_, i) => 2 - i),
    step: Int32Array.of(3),
  });
  program.free();
  return Object.fromEntries(Object.entries(found).map(([name, data]) => [name, Float64Array.from(data)]));
}

describe.each([
  {
    what: 'volumes',
    image: VOLUMES,
    kernel: 3,
    meshes: [
      [
        { a: 3, b: 2 },
        { batch: 'a', depth: 'b' },
      ],
      [
        { a: 2, b: 2 },
        { channel: 'a', depth: 'b' },
      ],
    ],
  },
  {
    what: 'pictures',
    image: PICTURES,
    kernel: { height: 3, width: 3 },
    meshes: [
      [
        { a: 3, b: 2 },
        { height: 'a', width: 'b' },
      ],
    ],
  },
] as const)('a classifier of $what', ({ image, kernel, meshes }) => {
  const graph = classifier(image, kernel);
  const whole = runs(graph, image, referenceDevice());
  const one = runs(graph, image, cpuDevice());

  it('gives probabilities of each image', async () => {
    const { probabilities, loss } = await one;
    const images = image[0].size;
    expect(probabilities).toHaveLength(3 * images);
    // Labels 2, 1, 0... with weights 1, 2 and 3 of the classes 0, 1 and 2.
    const weighted = Array.from(
      { length: images },
      (_, i) => -(3 - i) * Math.log(probabilities[3 * i + 2 - i]),
    );
    expect(loss[0]).toBeCloseTo(weighted.reduce((a, b) => a + b) / images, 5);
  });

  it('on the CPU device equals the reference', async () => {
    expect(distance(await one, await whole)).toBeLessThan(1e-4);
  });

  it.each<readonly [Record<string, number>, Layout]>(meshes)(
    'on mesh %j with layout %j equals one rank',
    async (axes, layout) => {
      const reference = await runs(graph, image, referenceDevice(), axes, layout);
      expect(distance(reference, await whole)).toBeLessThan(1e-12);
      const apart = distance(await runs(graph, image, cpuDevice(), axes, layout), await one);
      if (layout.channel === undefined) expect(apart).toBe(0);
      else expect(apart).toBeLessThan(5e-5);
    },
  );
});

it('with bfloat16 storage stays near float32', async () => {
  const f32 = await runs(classifier(VOLUMES, 3), VOLUMES, cpuDevice());
  const bf16 = await runs(classifier(VOLUMES, 3, 'bf16'), VOLUMES, cpuDevice(), { a: 2 }, { depth: 'a' });
  expect(Math.abs(bf16.loss[0] - f32.loss[0]) / f32.loss[0]).toBeLessThan(0.02);
});
