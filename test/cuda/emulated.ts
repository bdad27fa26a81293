import { fileURLToPath } from 'node:url';
import { cudaDevice } from '../../src/machine/cuda/device.ts';
import { emulatedDriver } from '../../src/machine/cuda/emulated.ts';
import type { Device } from '../../src/machine/index.ts';

/** A CUDA device without a GPU. Compiled kernels are kept between runs. */
export const emulated = (): Device =>
  cudaDevice({
    driver: emulatedDriver({ cache: fileURLToPath(new URL('../../build/cuda', import.meta.url)) }),
  });
