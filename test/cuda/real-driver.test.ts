import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { cudaDevice } from '../../src/machine/cuda/device.ts';
import { gpuHere } from '../../src/machine/cuda/gpu.ts';
import { realDriver } from '../../src/machine/cuda/real.ts';
import { describeDevice } from '../conformance/device.ts';
import { fakeCuda } from './fake.ts';

// The driver of a real GPU over a libcuda and an NVRTC of our own, which run what they are given on the emulator.

const { folder, library: fake, left } = fakeCuda();

describeDevice('cuda, with a driver', () => cudaDevice());

describe('the driver of a GPU', () => {
  it('is told in a few words', () => {
    const { gpu, nvrtc } = gpuHere();
    expect(gpu).toEqual({
      name: 'Fake GPU',
      architecture: 'sm_90',
      capability: 90,
      bytes: 2 ** 32,
      shared: 227 << 10,
      driverVersion: '13.0',
    });
    expect(nvrtc).toBe('13.0');
  });

  it('takes one GPU for each process of a machine, in turn', () => {
    vi.stubEnv('FAKE_CUDA_COUNT', '2');
    const [rank, size] = ['OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE'];
    const named = (local: string) => {
      vi.stubEnv('OMPI_COMM_WORLD_LOCAL_RANK', local);
      return gpuHere().gpu.name;
    };
    for (const [name, value] of [
      [rank, '5'],
      [size, '6'],
    ])
      vi.stubEnv(name, value);
    expect(['0', '1', '2'].map(named)).toEqual(['Fake GPU', 'Fake GPU 1', 'Fake GPU']);
    for (const name of [rank, size, 'OMPI_COMM_WORLD_LOCAL_RANK', 'FAKE_CUDA_COUNT'])
      vi.stubEnv(name, undefined);
  });

  it('says what is missing, too old or full', () => {
    expect(() => realDriver(1)).toThrow(
      'there is no GPU number 1; expected a whole number below 1, found 1 GPU',
    );
    expect(() => realDriver(-1)).toThrow('there is no GPU number -1');
    const driver = realDriver();
    expect(() => driver.allocate(2 ** 33)).toThrow(/no room for 8589934592 bytes .* of Fake GPU free/);
    driver.close();
    vi.stubEnv('HALOMESH_NVRTC', path.join(folder, 'none.so'));
    expect(() => gpuHere()).toThrow('NVRTC, the CUDA run-time compiler, is not found');
    vi.stubEnv('HALOMESH_NVRTC', fake);
    vi.stubEnv('FAKE_CUDA_OLD', '1');
    expect(() => gpuHere()).toThrow(
      'Fake GPU is too old; expected compute capability 8.0 or newer, found 7.5. Use --device cpu',
    );
    vi.stubEnv('FAKE_CUDA_OLD', undefined);
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
    const tensor = device.tensor(memory, 0, { ...type, format: device.target.plain(type) }, [
      { start: 0, end: 4 },
    ]);
    device.upload(tensor, tensor.box, Float32Array.of(1, 2, 3, 4));
    const store = device.openSpill('', 1024);
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
