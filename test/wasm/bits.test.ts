import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cpuDevice, library, wasmHere } from '../../src/machine/index.ts';
import { lossesOf, type SmallTraining } from '../losses.ts';

// The WebAssembly device gives the bits of the native kernels for the baseline of the processor, which this file's process loads.

beforeAll(() => {
  process.env.HALOMESH_ISA = 'base';
  expect(library().isa).toBe('base');
});
afterAll(() => {
  delete process.env.HALOMESH_ISA;
});

const SMALL = { size: [12, 16, 20], steps: 4 } as const;

describe('a training', () => {
  it.each<[string, Partial<SmallTraining>]>([
    ['in float32', { config: { base: 16 } }],
    ['in bfloat16', { config: { base: 16, precision: 'bf16' } }],
    ['split over a mesh', { config: { base: 16 }, parts: { depth: 2, width: 2 } }],
  ])('%s has the losses of the baseline kernels, bit for bit', async (_, way) => {
    const [native, wasm] = [cpuDevice({ threads: 1 }), wasmHere()];
    const expected = await lossesOf(native, { ...SMALL, ...way });
    expect(new Set(expected).size).toBe(4);
    expect(await lossesOf(wasm, { ...SMALL, ...way })).toEqual(expected);
    expect(wasm.held).toBe(64 * 2 ** 20);
    wasm.close();
    expect(wasm.held).toBe(0);
    native.close();
  });
});
