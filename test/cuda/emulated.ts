import { fileURLToPath } from 'node:url';
import { type CudaOptions, cudaDevice } from '../../src/machine/cuda/device.ts';
import { emulatedDriver } from '../../src/machine/cuda/emulated.ts';
import type { Device } from '../../src/machine/index.ts';

/** Compiled kernels are kept between runs. */
export const CACHE = fileURLToPath(new URL('../../build/cuda', import.meta.url));

/** A CUDA device without a GPU; that of a GPU where `npm run test:gpu` asks for it. */
export const emulated = (options: Pick<CudaOptions, 'slabs'> = {}): Device =>
  process.env.HALOMESH_TEST_GPU === '1'
    ? cudaDevice(options)
    : cudaDevice({
        ...options,
        driver: emulatedDriver({ cache: CACHE, races: process.env.HALOMESH_CUDA_RACES === '1' }),
      });
