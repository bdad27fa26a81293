import { expect, it } from 'vitest';
import { mesh } from '../../src/core/index.ts';
import type { Shape3 } from '../../src/imaging/index.ts';
import { cpuDevice, type Device } from '../../src/machine/index.ts';
import { Session } from '../../src/run/index.ts';
import { resolveConfig } from '../../src/train/config/config.ts';
import { trainingGraph } from '../../src/train/config/model.ts';
import { lossesOf } from '../losses.ts';
import { emulated } from './emulated.ts';

// Three steps of a small training on the emulated CUDA device: optimizer, statistics and loss as on the CPU, the same bits on a mesh.

const SIZE: Shape3 = [6, 8, 9];

const losses = (device: Device, parts?: Record<string, number>) =>
  lossesOf(device, { size: SIZE, steps: 3, config: { base: 4 }, parts });

it('trains as the CPU does, and alike on a mesh', async () => {
  const cpu = await losses(cpuDevice());
  const cuda = await losses(emulated());
  cuda.forEach((loss, step) => {
    expect(Math.abs(loss / cpu[step] - 1)).toBeLessThan(1e-5);
  });
  expect(new Set(cuda).size).toBe(3);
  expect(await losses(emulated(), { depth: 2, width: 2 })).toEqual(cuda);
});

it('names the position of a label that is no class', async () => {
  const device = emulated();
  const config = resolveConfig({ data: 'x', out: 'y', base: 4, levels: 2, augmentation: 'none', batch: 1 });
  const session = new Session({ device, mesh: mesh({}), layout: {}, seed: 3 });
  const program = await session.load(trainingGraph(config, 3, SIZE).graph);
  const voxels = SIZE[0] * SIZE[1] * SIZE[2];
  const labels = new Uint8Array(voxels);
  labels[1 * 8 * 9 + 2 * 9 + 5] = 7;
  const image = new Float32Array(voxels);
  const given = { image, labels, step: Int32Array.of(0), learning_rate: Float64Array.of(0.01) };
  await expect(program.run(given, ['loss'])).rejects.toThrow(
    'label 7 at (n 0, d 1, h 2, w 5): expected a whole number from 0 to 2',
  );
  program.free();
});
