import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { cudaDevice } from '../../src/machine/cuda/device.ts';
import { gpuHere } from '../../src/machine/cuda/gpu.ts';
import { nativeFile } from '../../src/machine/cuda/library.ts';
import { realDriver } from '../../src/machine/cuda/real.ts';
import { describeDevice } from '../conformance/device.ts';

// The driver of a real GPU over a libcuda and an NVRTC of our own, which run what they are given on the emulator.

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-cuda-'));
const emulator = path.join(folder, 'libemulator.so');
const fake = path.join(folder, 'libfake.so');
const build = (...args: string[]) =>
  execFileSync('g++', ['-std=c++17', '-O1', '-shared', '-fPIC', ...args], { stdio: 'pipe' });
build(nativeFile('emulate/emulate.cpp'), '-o', emulator);
build(fileURLToPath(new URL('fake-cuda.cpp', import.meta.url)), '-o', fake, emulator, '-ldl');
vi.stubEnv('HALOMESH_CUDA', fake);
vi.stubEnv('HALOMESH_NVRTC', fake);
vi.stubEnv('HALOMESH_CACHE', path.join(folder, 'cache'));
vi.stubEnv('FAKE_CUDA_FOLDER', folder);
vi.stubEnv('FAKE_CUDA_EMULATOR', emulator);
vi.stubEnv('FAKE_CUDA_HEADER', nativeFile('emulate/emulate.h'));

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** What was taken from the driver and not given back. */
const left = koffi.load(fake).func('int fake_left()') as () => number;

describeDevice('cuda, with a driver', () => cudaDevice());

describe('the driver of a GPU', () => {
  it('is told in a few words', () => {
    const { gpu, nvrtc } = gpuHere();
    expect(gpu).toEqual({
      name: 'Fake GPU',
      architecture: 'sm_90',
      capability: 90,
      bytes: 2 ** 32,
      driverVersion: '13.0',
    });
    expect(nvrtc).toBe('13.0');
  });

  it('says what is missing, too old or full', () => {
    expect(() => realDriver(1)).toThrow('there is no GPU number 1; expected a number below 1, found 1 GPUs');
    const driver = realDriver();
    expect(() => driver.allocate(2 ** 33)).toThrow(/no room for 8589934592 bytes .* of Fake GPU free/);
    driver.close();
    vi.stubEnv('HALOMESH_NVRTC', path.join(folder, 'none.so'));
    expect(() => gpuHere()).toThrow('NVRTC, the CUDA run-time compiler, is not found');
    vi.stubEnv('HALOMESH_NVRTC', fake);
    vi.stubEnv('HALOMESH_CUDA', path.join(folder, 'none.so'));
    expect(() => realDriver()).toThrow('no NVIDIA driver is found');
    vi.stubEnv('HALOMESH_CUDA', fake);
  });

  it('keeps compiled code, and gives all back when it is closed', async () => {
    expect(left()).toBe(0);
    const codes = () =>
      readdirSync(path.join(folder, 'cache', 'cuda')).filter((name) => name.endsWith('.cubin'));
    const before = codes();
    expect(before.length).toBeGreaterThan(0);
    const device = cudaDevice();
    const memory = device.allocate(64);
    const type = { shape: [{ name: 'width', size: 4 }], dtype: 'f32' } as const;
    const tensor = device.tensor(memory, 0, { ...type, format: device.plain(type) }, [{ start: 0, end: 4 }]);
    device.upload(tensor, tensor.box, Float32Array.of(1, 2, 3, 4));
    const store = device.openStore('', 1024);
    const ticket = store.write(tensor, 512);
    while (!store.settled(ticket)) await device.done();
    device.upload(tensor, tensor.box, new Float32Array(4));
    const back = store.read(tensor, 512);
    while (!store.settled(back)) await device.done();
    expect([...(await device.download(tensor, tensor.box))]).toEqual([1, 2, 3, 4]);
    store.close();
    device.free(memory);
    expect(device.held).toBe(0);
    device.close();
    expect(left()).toBe(0);
    expect(codes()).toEqual(before);
  });
});
