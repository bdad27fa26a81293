import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mesh, uniform } from '../../src/core/index.ts';
import type { Shape3 } from '../../src/imaging/index.ts';
import { cpuDevice, type Device, library, wasmHere } from '../../src/machine/index.ts';
import { Session } from '../../src/run/index.ts';
import { resolveConfig } from '../../src/train/config/config.ts';
import { trainingGraph } from '../../src/train/config/model.ts';

// The WebAssembly device gives the bits of the native kernels for the baseline of the processor, which this file's process loads.

beforeAll(() => {
  process.env.HALOMESH_ISA = 'base';
  expect(library().isa).toBe('base');
});
afterAll(() => {
  delete process.env.HALOMESH_ISA;
});

const SIZE: Shape3 = [12, 16, 20];

interface Way {
  readonly config?: Record<string, unknown>;
  readonly parts?: Record<string, number>;
  readonly memoryLimit?: number;
}

/** Losses of some steps and a variable at their end. */
async function train(device: Device, { config = {}, parts = {}, memoryLimit }: Way): Promise<number[]> {
  const given = { data: 'x', out: 'y', base: 16, levels: 2, augmentation: 'none', batch: 1, ...config };
  const { graph } = trainingGraph(resolveConfig(given), 3, SIZE);
  const layout = Object.fromEntries(Object.keys(parts).map((dim) => [dim, dim]));
  const session = new Session({ device, mesh: mesh(parts), layout, seed: 3, memoryLimit });
  const program = await session.load(graph);
  const voxels = SIZE[0] * SIZE[1] * SIZE[2];
  const image = Float32Array.from({ length: voxels }, (_, i) => uniform(1, 2, 3, i));
  const labels = Uint8Array.from({ length: voxels }, (_, i) => 3 * uniform(4, 5, 6, i));
  const losses: number[] = [];
  for (let step = 0; step < 4; step++) {
    const feeds = { image, labels, step: Int32Array.of(step), learning_rate: Float64Array.of(0.01) };
    losses.push((await program.run(feeds, ['loss'])).loss[0]);
  }
  session.close();
  return losses;
}

describe('a training', () => {
  it.each<[string, Way]>([
    ['in float32', {}],
    ['in bfloat16', { config: { precision: 'bf16' } }],
    ['split over a mesh', { parts: { depth: 2, width: 2 } }],
  ])('%s has the losses of the baseline kernels, bit for bit', async (_, way) => {
    const [native, wasm] = [cpuDevice({ threads: 1 }), wasmHere()];
    const expected = await train(native, way);
    expect(new Set(expected).size).toBe(4);
    expect(await train(wasm, way)).toEqual(expected);
    expect(wasm.held).toBe(64 * 2 ** 20);
    wasm.close();
    expect(wasm.held).toBe(0);
    native.close();
  });
});
