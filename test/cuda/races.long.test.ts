import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Graph, mesh, shape, uniform, volume } from '../../src/core/index.ts';
import { cudaDevice } from '../../src/machine/cuda/device.ts';
import type { Driver, KernelSource } from '../../src/machine/cuda/driver.ts';
import { emulatedDriver } from '../../src/machine/cuda/emulated.ts';
import type { Device } from '../../src/machine/index.ts';
import {
  castTo,
  convRaw,
  gradients,
  inputOf,
  leakyRelu,
  reduceSum,
  square,
  windows,
} from '../../src/ops/index.ts';
import { Session } from '../../src/run/index.ts';
import { network, runNetwork } from '../laws/unet.ts';
import { CACHE } from './emulated.ts';

// The kernels of a U-Net, forward and backward, use no memory at the same time; where one of their barriers is taken away, they do.

const told = emulatedDriver({ cache: CACHE, races: true });

/** Puts others in the place of pieces of kernels that have them all; which they were is told in `changed`. */
function spoiling(pieces: readonly (readonly [RegExp, string])[]): { driver: Driver; changed: Set<string> } {
  const changed = new Set<string>();
  const spoil = (source: KernelSource): KernelSource => {
    if (!pieces.every(([piece]) => piece.test(source.text))) return source;
    changed.add(source.name);
    const text = pieces.reduce((rest, [piece, by]) => rest.replace(piece, by), source.text);
    const name = `${source.name}_${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
    return { ...source, name, text: text.replaceAll(source.name, name) };
  };
  const driver: Driver = {
    ...told,
    compile: (sources) => told.compile(sources.map(spoil)),
    kernel: (source) => told.kernel(spoil(source)),
  };
  return { driver, changed };
}

/** Convolutions of 16 and 32 channels, with and without a stride, and every gradient. */
async function convolutions(device: Device, storage: 'f32' | 'bf16') {
  const graph = new Graph();
  const x = inputOf(graph, 'x', shape({ batch: 1, depth: 6, height: 9, width: 19, channel: 16 }), storage);
  const kernel = { kd: 3, kh: 3, kw: 3 };
  const weights = [
    inputOf(graph, 'first', shape({ ...kernel, channel: 16, out: 32 })),
    inputOf(graph, 'second', shape({ ...kernel, channel: 32, out: 16 })),
  ];
  const window = (stride: number) =>
    windows({ depth: 3, height: 3, width: 3 }, { stride, padding: 'same' as const });
  const between = castTo(
    leakyRelu(castTo(convRaw(x, weights[0], window(1), 'channel'), 'f32'), 0.1),
    storage,
  );
  const y = castTo(convRaw(between, weights[1], window(2), 'channel'), 'f32');
  const loss = reduceSum(
    square(y),
    y.shape.map(({ name }) => name),
    'f64',
  );
  graph.output('loss', loss);
  gradients(loss, weights).forEach((gradient, i) => {
    graph.output(`gradient ${i}`, gradient!);
  });
  const session = new Session({ device, mesh: mesh({}), layout: {} });
  const program = await session.load(graph);
  const numbers = (count: number) =>
    Float64Array.from({ length: count }, (_, i) => uniform(1, 2, 3, i) - 0.5);
  const feeds = { x: numbers(volume(x.shape)), first: numbers(13824), second: numbers(13824) };
  const found = await program.run(feeds);
  session.close();
  return found;
}

const RACE = /a race: (reads|writes) byte \d+ of shared memory/;

describe('races', () => {
  it('are none in a U-Net of 16 channels in bf16', async () => {
    const graph = network({ base: 16, levels: 2, keep: 0.8 }, 'bf16');
    const found = await runNetwork(graph, cudaDevice({ driver: told }));
    expect(Number.isFinite(found.loss[0])).toBe(true);
  });

  it.each(['f32', 'bf16'] as const)('are none in convolutions in %s', async (storage) => {
    const found = await convolutions(cudaDevice({ driver: told }), storage);
    expect(Number.isFinite(found.loss[0])).toBe(true);
  });

  it.each([
    ['a tile is loaded over one that is read', [[/(?<=i\+\+\) \{\n) +__syncthreads\(\);/, '']]],
    ['results lie where a tile is read', [[/ +__syncthreads\(\);(?=\n +float \*const results)/, '']]],
    ['planes are multiplied that have not come', [[/wait_at\(full \+ at/, 'come_to(full + at']]],
    ['pieces are multiplied that have not come', [[/(?<=ys = [^;]*;\n +)wait_at\((?=1 \+)/, 'come_to(']]],
    [
      'sums of threads are added before all are there',
      [[/(?<=each\[threadIdx\.x\] = sum;\n) +__syncthreads\(\);/, '']],
    ],
  ] as const)('are found where %s', async (_, pieces) => {
    const { driver, changed } = spoiling(pieces);
    await expect(convolutions(cudaDevice({ driver }), 'bf16')).rejects.toThrow(RACE);
    expect(changed.size).toBeGreaterThan(0);
  });
});
