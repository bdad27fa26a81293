import { describe, expect, it } from 'vitest';
import { Graph, mesh, shape, volume } from '../../src/core/index.ts';
import { cpuDevice, type Device } from '../../src/machine/index.ts';
import {
  castTo,
  convRaw,
  convTransposeRaw,
  gradients,
  inputOf,
  mul,
  reduceSum,
  windows,
} from '../../src/ops/index.ts';
import { Session } from '../../src/run/index.ts';
import { emulated } from './emulated.ts';

// Every layer of a U-Net on the emulated device, forward and backward. Of small whole numbers all products and sums are exact, so the
// direct kernels of the CPU give the same, wherever what is computed is cut.

const SPACE = { depth: 9, height: 10, width: 19 };

const whole = (count: number, most: number, seed: number): Float64Array =>
  Float64Array.from(
    { length: count },
    (_, i) => ((i * 7919 + seed * 31 + ((i * i) % 13)) % (2 * most + 1)) - most,
  );

interface Layer {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly transposed?: boolean;
}

/** A convolution or its transpose, sums of its output, and gradients. */
function layer({ inputs, outputs, kernel, stride = 1, transposed = false }: Layer, storage: 'bf16' | 'f32') {
  const graph = new Graph();
  const small = (size: number) => (transposed ? Math.ceil(size / stride) : size);
  const dims = { depth: small(SPACE.depth), height: small(SPACE.height), width: small(SPACE.width) };
  const x = inputOf(graph, 'x', shape({ batch: 2, ...dims, channel: inputs }), storage);
  const k = { kd: kernel, kh: kernel, kw: kernel };
  const channels = transposed ? { out: outputs, channel: inputs } : { channel: inputs, out: outputs };
  const weight = inputOf(graph, 'weight', shape({ ...k, ...channels }));
  const options =
    kernel === stride ? { stride, padding: [0, 1] as const } : { stride, padding: 'same' as const };
  const window = windows({ depth: kernel, height: kernel, width: kernel }, options);
  const y = transposed
    ? convTransposeRaw(x, weight, window, shape({ batch: 2, ...SPACE, channel: outputs }))
    : convRaw(x, weight, window, 'channel');
  const all = y.shape.map(({ name }) => name);
  const g = inputOf(graph, 'g', y.shape);
  const loss = reduceSum(mul(castTo(y, 'f32'), g), all, 'f64');
  graph.output('y', y);
  graph.output('sum', reduceSum(castTo(y, 'f32'), ['depth', 'height', 'width'], 'f64'));
  gradients(loss, [x, weight]).forEach((gradient, i) => {
    graph.output(`gradient ${i}`, gradient!);
  });
  const feeds = {
    x: whole(volume(x.shape), 2, 1),
    g: whole(volume(y.shape), 1, 3),
    weight: whole(volume(weight.shape), 1, 4),
  };
  return { graph, feeds };
}

type Network = ReturnType<typeof layer>;

async function run({ graph, feeds }: Network, device: Device, parts: Record<string, number> = {}) {
  const layout = Object.fromEntries(Object.keys(parts).map((dim) => [dim, dim]));
  const program = await new Session({ device, mesh: mesh(parts), layout }).load(graph);
  const found = await program.run(feeds);
  program.free();
  return Object.fromEntries(Object.entries(found).map(([name, data]) => [name, [...data]]));
}

const LAYERS: Readonly<Record<string, Layer>> = {
  'the first convolution': { inputs: 1, outputs: 16, kernel: 3 },
  'a convolution': { inputs: 16, outputs: 32, kernel: 3 },
  'channels that fill no block': { inputs: 24, outputs: 5, kernel: 3 },
  'the last convolution': { inputs: 16, outputs: 3, kernel: 1 },
  'a strided convolution': { inputs: 16, outputs: 16, kernel: 3, stride: 2 },
  'a convolution of 2x2x2 blocks': { inputs: 8, outputs: 16, kernel: 2, stride: 2 },
  'its transpose': { inputs: 32, outputs: 16, kernel: 2, stride: 2, transposed: true },
};

describe.each(['bf16', 'f32'] as const)('in %s', (storage) => {
  it.each(Object.entries(LAYERS))('%s equals direct sums of whole numbers on every mesh', async (_, one) => {
    const network = layer(one, storage);
    const expected = await run(network, cpuDevice({ exactConv: 'direct' }));
    expect(await run(network, emulated())).toEqual(expected);
    expect(await run(network, emulated(), { depth: 2, width: 2 })).toEqual(expected);
  });
});
