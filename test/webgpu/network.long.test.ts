import { expect, it } from 'vitest';
import { cpuDevice } from '../../src/machine/index.ts';
import { distance, network, runNetwork } from '../laws/unet.ts';
import { lossesOf, type SmallTraining } from '../losses.ts';
import { onWebGpu, webgpu } from './gpu.ts';

// A whole U-Net on the WebGPU device: near the CPU, and the same bits on every mesh.

onWebGpu('webgpu', () => {
  it('computes loss and gradients of a U-Net like the CPU, with the same bits on a mesh', async () => {
    const graph = network({});
    const device = webgpu();
    const one = await runNetwork(graph, device);
    expect(distance(one, await runNetwork(graph, cpuDevice()))).toBeLessThan(1e-4);
    const halves = await runNetwork(graph, device, { a: 2, b: 2 }, { depth: 'a', height: 'b' });
    expect(distance(halves, one)).toBe(0);
  });

  it('trains as the CPU does, and alike on a mesh', async () => {
    const training: SmallTraining = { size: [6, 8, 9], steps: 3, config: { base: 4 } };
    const cpu = await lossesOf(cpuDevice(), training);
    const found = await lossesOf(webgpu(), training);
    found.forEach((loss, step) => {
      expect(Math.abs(loss / cpu[step] - 1)).toBeLessThan(1e-5);
    });
    expect(new Set(found).size).toBe(3);
    expect(await lossesOf(webgpu(), { ...training, parts: { depth: 2, width: 2 } })).toEqual(found);
  });
});
