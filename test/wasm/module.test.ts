import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Graph, range, shape } from '../../src/core/index.ts';
import { packageRoot } from '../../src/files/index.ts';
import { wasmHere, wasmModule, wasmTarget } from '../../src/machine/index.ts';
import { type ThreadStart, wasmDevice } from '../../src/machine/wasm/index.ts';
import { wasmKernels } from '../../src/machine/wasm/kernels.ts';
import { inputOf, mul } from '../../src/ops/index.ts';
import { Session } from '../../src/run/index.ts';
import { smallTraining } from '../browser/small-training.ts';

// The module that is kept with the sources, and its memory.

it('is built from the sources beside it', async () => {
  const { hashOf } = await import(`${packageRoot}/scripts/setup/common.mjs`);
  const { wasmHash } = await import(`${packageRoot}/scripts/setup/wasm.mjs`);
  const file = (name: string) => readFileSync(`${packageRoot}/native/wasm/${name}`);
  const built = JSON.parse(file('built.json').toString());
  const hint = 'native/ has changed since native/wasm/halomesh.wasm was built. Run: npm run build:wasm';
  expect(built.sources, hint).toBe(wasmHash(packageRoot));
  const files = { module: 'halomesh.wasm', threads: 'halomesh-threads.wasm' };
  for (const [key, name] of Object.entries(files))
    expect(built[key], `built.json and ${name} are not of one build`).toBe(hashOf(file(name)));
});

it('computes on several threads with the bits of one, also where some were not started', async () => {
  const one = wasmHere();
  const expected = await smallTraining(one);
  const three = wasmHere({ threads: 3 });
  expect(await smallTraining(three)).toEqual(expected);
  const started: number[] = [];
  const startWorker = ({ thread }: ThreadStart) => {
    started.push(thread);
    return { terminate: () => undefined };
  };
  const alone = wasmDevice({ module: wasmModule(3), threads: 3, startWorker });
  expect(await smallTraining(alone)).toEqual(expected);
  expect(started).toEqual([1, 2]);
  for (const device of [one, three, alone]) {
    device.close();
    expect(device.held).toBe(0);
  }
});

it('refuses threads of a module for one, and too many', () => {
  expect(() => wasmDevice({ module: wasmModule(), threads: 2 })).toThrow(
    /device wasm: 2 threads take a module whose memory they can share; found one for a single thread/,
  );
  expect(() => wasmHere({ threads: 1000 })).toThrow(/expected 1 to 64 threads, got 1000/);
});

it('gives memory back and takes it again, zeroed', () => {
  const kernels = wasmKernels(wasmModule());
  const big = 2 ** 21;
  const pieces = [1, 2, 3].map(() => kernels.allocate(big));
  const small = kernels.allocate(100);
  expect(kernels.held).toBe(3 * big + 100);
  kernels.view(pieces[0], big).fill(7);
  kernels.view(small, 100).fill(7);
  for (const piece of pieces.slice(0, 2)) kernels.free(piece, big);
  // Both together, where they lay.
  const again = kernels.allocate(2 * big);
  expect(again).toBe(pieces[0]);
  expect(kernels.view(again, 2 * big).every((x) => x === 0)).toBe(true);
  kernels.free(small, 100);
  expect(kernels.view(kernels.allocate(100), 100).every((x) => x === 0)).toBe(true);
  kernels.free(pieces[2], big);
});

it('addresses more than 2 GiB, in one piece and above', () => {
  const kernels = wasmKernels(wasmModule());
  const most = 2 ** 31 + 2 ** 26;
  const high = kernels.allocate(most);
  const data = Uint8Array.of(1, 2, 3, 4);
  const end = (high + most - 4) as typeof high;
  expect(end).toBeGreaterThan(2 ** 31);
  kernels.upload(end, data);
  kernels.call('hm_memcpy', high, end, 4);
  const found = new Uint8Array(4);
  kernels.download(high, found);
  expect(found).toEqual(data);
  expect(() => kernels.allocate(2 ** 31)).toThrow(
    /device wasm: cannot allocate 2147483648 bytes: a module has 4 GiB/,
  );
  kernels.free(high, most);
  expect(kernels.held).toBe(0);
});

it('raises what a kernel says', () => {
  const kernels = wasmKernels(wasmModule());
  expect(() => kernels.call('hm_memcpy', 0, 64, 4)).toThrow('device wasm: hm_memcpy: dst is null');
  expect(() => kernels.call('hm_peak_flops', 1, 64)).toThrow(/expected the function hm_peak_flops/);
});

it('keeps what was prepared before its memory grew', async () => {
  const device = wasmHere();
  const box = [range(0, 1000)];
  const type = { shape: [{ name: 'width', size: 1000 }], dtype: 'f32' as const };
  const stored = { ...type, format: wasmTarget().plain(type) };
  const memory = [device.allocate(4000), device.allocate(4000)];
  const [from, to] = memory.map((one) => device.tensor(one, 0, stored, box));
  const launch = device.copy(to, from, box);
  const grown = device.allocate(200 * 2 ** 20);
  // Its arguments lie beside those of the first, in a piece of memory that moved.
  const back = device.copy(from, to, [range(0, 10)]);
  const numbers = Float32Array.from({ length: 1000 }, (_, i) => i);
  device.upload(from, box, numbers);
  launch.run();
  expect(await device.download(to, box)).toEqual(numbers);
  device.upload(to, [range(0, 10)], new Float32Array(10));
  back.run();
  expect((await device.download(from, [range(5, 15)])) as Float32Array).toEqual(
    Float32Array.of(0, 0, 0, 0, 0, 10, 11, 12, 13, 14),
  );
  for (const one of [...memory, grown]) device.free(one);
  device.close();
  expect(device.held).toBe(0);
});

it('refuses a program that takes more than a module addresses', async () => {
  const graph = new Graph();
  const x = inputOf(graph, 'x', shape({ depth: 1100, height: 1000, width: 1000 }));
  graph.output('y', mul(x, x));
  const device = wasmHere();
  const session = new Session({ device });
  await expect(session.load(graph)).rejects.toThrow(
    /at most 4.00 GiB \(what is free of the memory of the WebAssembly module\).*found 8.*Give --memory-limit/s,
  );
  session.close();
  device.close();
});
