import { expect, it } from 'vitest';
import { Graph, type Layout, mesh, shape, uniform } from '../../src/core/index.ts';
import { cpuDevice, type Device } from '../../src/machine/index.ts';
import { convRaw, gradients, inputOf, mul, reduceSum, windows } from '../../src/ops/index.ts';
import { Session } from '../../src/run/index.ts';
import { onWebGpu, webgpu } from './gpu.ts';

// A 3x3x3 convolution and its gradients by the kernels that work on tiles: sizes that no tile divides, channels that no four divides.

const SPACE = { depth: 6, height: 9, width: 19 };

function layer(inputs: number): Graph {
  const graph = new Graph();
  const x = inputOf(graph, 'x', shape({ batch: 1, ...SPACE, channel: inputs }));
  const weight = inputOf(graph, 'weight', shape({ kd: 3, kh: 3, kw: 3, channel: inputs, out: 16 }));
  const y = convRaw(x, weight, windows({ depth: 3, height: 3, width: 3 }, { padding: 'same' }));
  const factors = inputOf(graph, 'factors', y.shape);
  const loss = reduceSum(mul(y, factors), ['batch', 'depth', 'height', 'width', 'out'], 'f64');
  graph.output('y', y);
  gradients(loss, [x, weight]).forEach((gradient, i) => {
    graph.output(`gradient ${i}`, gradient!);
  });
  return graph;
}

async function run(inputs: number, device: Device, parts: Record<string, number> = {}) {
  const graph = layer(inputs);
  const layout: Layout = Object.fromEntries(Object.keys(parts).map((dim) => [dim, dim]));
  const session = new Session({ device, mesh: mesh(parts), layout });
  const program = await session.load(graph);
  const voxels = SPACE.depth * SPACE.height * SPACE.width;
  const numbers = (count: number, seed: number) =>
    Float32Array.from({ length: count }, (_, i) => uniform(seed, 2, 3, i) - 0.5);
  const found = await program.run({
    x: numbers(voxels * inputs, 1),
    weight: numbers(27 * inputs * 16, 2),
    factors: numbers(voxels * 16, 3),
  });
  session.close();
  return found;
}

onWebGpu('webgpu', () => {
  const device = webgpu();
  it.each([16, 5])(
    'has the numbers of the CPU from %i channels, and its own bits in parts',
    async (inputs) => {
      const [expected, found] = [
        await run(inputs, cpuDevice({ exactConv: 'direct' })),
        await run(inputs, device),
      ];
      for (const [name, numbers] of Object.entries(expected)) {
        const scale = Math.max(...numbers.map(Math.abs));
        numbers.forEach((x, i) => {
          expect(Math.abs(x - found[name][i]), `${name} ${i}`).toBeLessThan(3e-6 * scale);
        });
      }
      const parted = await run(inputs, device, { depth: 2, width: 2 });
      for (const [name, numbers] of Object.entries(found)) expect(parted[name], name).toEqual(numbers);
    },
  );
});
