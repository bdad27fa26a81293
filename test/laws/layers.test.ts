import { expect, it } from 'vitest';
import type { Layout } from '../../src/core/index.ts';
import { cpuDevice, referenceDevice } from '../../src/machine/index.ts';
import type { NetworkSettings } from '../../src/nn/index.ts';
import { distance, network, runNetwork } from './unet.ts';

// Layers beyond those of the U-Net, their loss and every gradient, on meshes: as one rank, bit for bit on the CPU device.

/** One behind the other. */
const layers: NetworkSettings = {
  ...{ kind: 'custom', name: 'layers', classes: 3 },
  build(ctx, image, classes, kit) {
    const { conv, instanceNorm, maxPool, silu, gelu, prelu, logSigmoid, squeezeExcite, attentionGate } = kit;
    const first = silu(instanceNorm(ctx, conv(ctx, image, { filters: 4, kernel: 3, bias: true })));
    const grouped = gelu(instanceNorm(ctx, conv(ctx, first, { filters: 6, kernel: 3, groups: 2 })));
    const depthwise = conv(ctx, grouped, {
      filters: 12,
      kernel: { depth: 1, height: 3, width: 3 },
      groups: 6,
    });
    const skip = squeezeExcite(ctx, prelu(ctx, instanceNorm(ctx, depthwise)), { reduction: 4 });
    const gate = conv(ctx, maxPool(skip, 2, { padding: 'ceil' }), { filters: 5, kernel: 3, bias: true });
    const gated = attentionGate(ctx, skip, logSigmoid(gate));
    return kit.scoresOf(ctx, gated, classes, 1);
  },
};

/** Meshes that cut space, space and batch, and channels. */
const MESHES: readonly [Record<string, number>, Layout][] = [
  [
    { a: 2, b: 2 },
    { height: 'a', width: 'b' },
  ],
  [
    { a: 2, b: 3 },
    { batch: 'a', depth: 'b' },
  ],
  [
    { a: 2, b: 2 },
    { channel: 'a', depth: 'b' },
  ],
];

const graph = network(layers);
const whole = runNetwork(graph, referenceDevice(), {}, {});
const one = runNetwork(graph, cpuDevice(), {}, {});

it('on the CPU device equals the reference', async () => {
  expect(distance(await one, await whole)).toBeLessThan(1e-4);
});

it('on a mesh equals one rank on the reference device', async () => {
  const [axes, layout] = MESHES[1];
  expect(distance(await runNetwork(graph, referenceDevice(), axes, layout), await whole)).toBeLessThan(1e-12);
});

it.each(MESHES)('on mesh %j with layout %j equals one rank on the CPU device', async (axes, layout) => {
  const apart = distance(await runNetwork(graph, cpuDevice(), axes, layout), await one);
  if (layout.channel === undefined) expect(apart).toBe(0);
  else expect(apart).toBeLessThan(5e-5);
});
