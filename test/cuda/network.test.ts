import { expect, it } from 'vitest';
import { cpuDevice } from '../../src/machine/index.ts';
import { distance, network, runNetwork } from '../laws/unet.ts';
import { emulated } from './emulated.ts';

// A whole U-Net on the emulated CUDA device: near the CPU, and the same bits on every mesh.

it('computes loss and gradients of a U-Net like the CPU, with the same bits on every mesh', async () => {
  const graph = network({});
  const device = emulated();
  const one = await runNetwork(graph, device);
  expect(distance(one, await runNetwork(graph, cpuDevice()))).toBeLessThan(1e-4);
  const halves = await runNetwork(graph, device, { a: 2, b: 2 }, { depth: 'a', height: 'b' });
  expect(distance(halves, one)).toBe(0);
  const cases = await runNetwork(graph, device, { a: 2, b: 3 }, { batch: 'a', depth: 'b' });
  expect(distance(cases, one)).toBe(0);
});

it('stays near float32 with bfloat16 storage', async () => {
  const f32 = await runNetwork(network({ keep: 1 }), cpuDevice());
  const bf16 = await runNetwork(network({ keep: 1 }, 'bf16'), emulated(), { a: 2 }, { depth: 'a' });
  expect(Math.abs(bf16.loss[0] - f32.loss[0]) / f32.loss[0]).toBeLessThan(0.02);
});
