import { describe, expect, it } from 'vitest';
import type { Layout } from '../../src/core/index.ts';
import { cpuDevice, referenceDevice } from '../../src/machine/index.ts';
import type { NetworkSettings } from '../../src/nn/index.ts';
import { distance, network, runNetwork, type Settings } from './unet.ts';

// A whole U-Net, its loss and every gradient, on meshes of one to eight ranks and sizes that do not divide: equal to one rank
// within 1e-12 on the reference device, and exactly, bit for bit, in float32 on the CPU device.

const MESHES: readonly [Record<string, number>, Layout][] = [
  [{ a: 2 }, { depth: 'a' }],
  [{ a: 3 }, { width: 'a' }],
  [
    { a: 2, b: 2 },
    { height: 'a', width: 'b' },
  ],
  [
    { a: 2, b: 2, c: 2 },
    { depth: 'a', height: 'b', width: 'c' },
  ],
  [
    { a: 2, b: 3 },
    { batch: 'a', depth: 'b' },
  ],
  [
    { a: 2, b: 2 },
    { channel: 'a', depth: 'b' },
  ],
  [{ a: 5 }, { depth: 'a' }],
];

const cube = { depth: 3, height: 3, width: 3 };
const once = { depth: 1, height: 1, width: 1 };
/** Windows and strides that differ along the axes and from stage to stage. */
const plain: NetworkSettings = {
  ...{ kind: 'plain', classes: 3, slope: 0.01, epsilon: 1e-5, scale: 1.5, shift: -0.25 },
  stages: [
    { filters: 2, kernel: { ...cube, depth: 1 }, stride: once, down: 1, up: 2 },
    { filters: 3, kernel: cube, stride: { depth: 1, height: 2, width: 2 }, down: 2, up: 1 },
    { filters: 4, kernel: cube, stride: { depth: 2, height: 2, width: 3 }, down: 1, up: 0 },
  ],
};

describe.each<[string, Settings]>([
  ['batch norm', {}],
  ['instance norm', { norm: 'instance' }],
  ['group norm', { norm: 'group', groups: 2, base: 4, levels: 2 }],
  ['deep supervision', { deep: true, levels: 3, keep: 1 }],
  ['strided convolutions', { ...plain, deep: true }],
])('U-Net with %s', (_, settings) => {
  const graph = network(settings);
  const whole = runNetwork(graph, referenceDevice(), {}, {});

  it('on the CPU device equals the reference', async () => {
    expect(distance(await runNetwork(graph, cpuDevice(), {}, {}), await whole)).toBeLessThan(1e-4);
  });

  it.each(MESHES)(
    'on mesh %j with layout %j equals one rank on the reference device',
    async (axes, layout) => {
      expect(distance(await runNetwork(graph, referenceDevice(), axes, layout), await whole)).toBeLessThan(
        1e-12,
      );
    },
  );

  it.each(MESHES)('on mesh %j with layout %j equals one rank on the CPU device', async (axes, layout) => {
    const one = await runNetwork(graph, cpuDevice(), {}, {});
    const apart = distance(await runNetwork(graph, cpuDevice(), axes, layout), one);
    // Split in space and batch every sum is taken in the same order; other channel counts take other kernels.
    if (layout.channel === undefined) expect(apart).toBe(0);
    else expect(apart).toBeLessThan(5e-5);
  });
});

it('with bfloat16 storage stays near float32', async () => {
  const f32 = await runNetwork(network({ keep: 1 }), cpuDevice(), {}, {});
  const bf16 = await runNetwork(network({ keep: 1 }, 'bf16'), cpuDevice(), { a: 2 }, { depth: 'a' });
  expect(Math.abs(bf16.loss[0] - f32.loss[0]) / f32.loss[0]).toBeLessThan(0.02);
});
