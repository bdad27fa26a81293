import { expect, it } from 'vitest';
import { mesh } from '../../src/core/index.ts';
import { cudaDevice, cudaTarget } from '../../src/machine/cuda/index.ts';
import { Session } from '../../src/run/index.ts';
import { resolveConfig } from '../../src/train/config/config.ts';
import { trainingGraph } from '../../src/train/config/model.ts';
import { fakeCuda } from './fake.ts';

// What a training step asks of the driver of a GPU: kernels do nothing here.

const { asked, left } = fakeCuda({ idle: true });

async function steps(
  parts: Record<string, number> = {},
  { levels = 2, memoryLimit = undefined as number | undefined } = {},
) {
  const device = cudaDevice();
  const config = resolveConfig({ data: 'x', out: 'y', base: 4, levels, augmentation: 'none', batch: 1 });
  const { graph } = trainingGraph(config, 3, [32, 32, 32]);
  const layout = Object.fromEntries(Object.keys(parts).map((dim) => [dim, dim]));
  const session = new Session({ device, mesh: mesh(parts), layout, memoryLimit });
  const program = await session.load(graph);
  const [image, labels] = [new Float32Array(32 ** 3), new Uint8Array(32 ** 3)];
  const found: string[] = [];
  for (let step = 0; step < 3; step++) {
    asked();
    const given = { image, labels, step: Int32Array.of(step), learning_rate: Float64Array.of(0.01) };
    await program.run(given, ['loss']);
    found.push(asked());
  }
  const { plan } = program;
  session.close();
  device.close();
  expect(left()).toBe(0);
  return { found, plan };
}

it('asks for a step in one graph, and waits once, at its end', async () => {
  const { found, plan } = await steps();
  const kernels = plan.steps.filter(({ kind }) => kind === 'kernel').length;
  expect(kernels).toBeGreaterThan(50);
  // The first step is asked for kernel by kernel.
  expect(found[0].match(/k/g)!.length).toBeGreaterThan(kernels);
  // What launches that were joined read goes to the device once, when they are recorded.
  expect(found[1]).toMatch(/^(uk)+ugk(dw){2}$/);
  expect(found[2]).toMatch(/^(uk)+gk(dw){2}$/);
});

it('asks for a graph between two collectives', async () => {
  const { found, plan } = await steps({ depth: 2 });
  const collectives = plan.steps.filter(({ kind }) => kind === 'collective').length;
  const graphs = found[2].match(/g/g)!.length;
  expect(collectives).toBeGreaterThan(4);
  expect(graphs).toBeGreaterThan(collectives / 2);
  expect(graphs).toBeLessThanOrEqual(2 * (collectives + 1));
  expect(found[2]).toMatch(/^[ukg]+k(dw){2}$/);
});

it('moves tensors to the host and back without waiting for them', async () => {
  const levels = 4;
  const { memory } = (await steps({}, { levels })).plan;
  const room = memory.variableBytes[0] + 0.65 * memory.arenaBytes[0];
  const { process } = cudaTarget().spaces.tensors.fixedBytes;
  const { found, plan } = await steps({}, { levels, memoryLimit: process + room });
  const moves = plan.steps.filter((step) => step.kind === 'move');
  const of = (action: string) => moves.filter((move) => move.action === action).length;
  expect(of('spill')).toBeGreaterThan(0);
  expect(found[2].match(/d/g)!.length).toBe(of('spill') + 2);
  expect(found[2].match(/m/g)!.length).toBe(of('prefetch'));
  expect(found[2]).toMatch(/^[ukgmd]+k(dw){2}$/);
});
