import { describe, expect, it } from 'vitest';
import { Graph, mesh, type Shape, shape, volume } from '../../src/core/index.ts';
import { cpuDevice, type Device } from '../../src/machine/index.ts';
import {
  castTo,
  concat,
  convRaw,
  gradients,
  inputOf,
  leakyRelu,
  mul,
  reduceSum,
  windows,
} from '../../src/ops/index.ts';
import { Session } from '../../src/run/index.ts';
import { network, runNetwork } from '../laws/unet.ts';
import { emulated } from './emulated.ts';

// Convolutions of bfloat16 images on the tensor cores of the emulated device. Of small whole numbers all products and sums are exact, so
// the direct kernels of the CPU give the same.

const dims = (channel: number): Shape => shape({ batch: 2, depth: 6, height: 9, width: 19, channel });
const whole = (count: number, most: number, seed: number): Float64Array =>
  Float64Array.from(
    { length: count },
    (_, i) => ((i * 7919 + seed * 31 + ((i * i) % 13)) % (2 * most + 1)) - most,
  );

/** A 3x3x3 convolution of two concatenated images after an activation, sums of its output, and gradients. */
function convolution() {
  const graph = new Graph();
  const parts = ['a', 'b'].map((name) => inputOf(graph, name, dims(16), 'bf16'));
  const x = castTo(leakyRelu(castTo(concat(parts, 'channel'), 'f32'), 0.5), 'bf16');
  const weight = inputOf(graph, 'weight', shape({ kd: 3, kh: 3, kw: 3, channel: 32, out: 16 }));
  const y = convRaw(x, weight, windows({ depth: 3, height: 3, width: 3 }, { padding: 'same' }), 'channel');
  const loss = reduceSum(
    mul(castTo(y, 'f32'), inputOf(graph, 'g', dims(16))),
    ['batch', 'depth', 'height', 'width', 'channel'],
    'f64',
  );
  graph.output('y', y);
  graph.output('sum', reduceSum(castTo(y, 'f32'), ['depth', 'height', 'width'], 'f64'));
  gradients(loss, [...parts, weight]).forEach((gradient, i) => {
    graph.output(`gradient ${i}`, gradient!);
  });
  const feeds = {
    a: whole(volume(dims(16)), 2, 1),
    b: whole(volume(dims(16)), 2, 2),
    g: whole(volume(dims(16)), 1, 3),
    weight: whole(27 * 32 * 16, 1, 4),
  };
  return { graph, feeds };
}

async function run(device: Device, parts: Record<string, number> = {}) {
  const { graph, feeds } = convolution();
  const layout = Object.fromEntries(Object.keys(parts).map((dim) => [dim, dim]));
  const program = await new Session({ device, mesh: mesh(parts), layout }).load(graph);
  const found = await program.run(feeds);
  program.free();
  return Object.fromEntries(Object.entries(found).map(([name, data]) => [name, [...data]]));
}

describe('convolutions on tensor cores', () => {
  it('equal direct sums of whole numbers, forward and backward, on every mesh', async () => {
    const expected = await run(cpuDevice({ exactConv: 'direct' }));
    expect(await run(emulated())).toEqual(expected);
    expect(await run(emulated({ slabs: { bytes: 1, planes: 2 } }))).toEqual(expected);
    expect(await run(emulated(), { depth: 2, width: 2 })).toEqual(expected);
    expect(await run(emulated(), { batch: 2, height: 3 })).toEqual(expected);
  });

  it('give a U-Net of 16 channels the loss of the CPU, and the same bits on a mesh', async () => {
    const graph = network({ base: 16, levels: 2 }, 'bf16');
    const one = await runNetwork(graph, emulated());
    const cpu = await runNetwork(graph, cpuDevice());
    expect(Math.abs(one.loss[0] / cpu.loss[0] - 1)).toBeLessThan(2e-3);
    expect(await runNetwork(graph, emulated({ slabs: { bytes: 1, planes: 2 } }))).toEqual(one);
    expect(await runNetwork(graph, emulated(), { a: 2 }, { depth: 'a' })).toEqual(one);
  });
});
