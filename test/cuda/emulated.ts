import { fileURLToPath } from 'node:url';
import { CudaDevice } from '../../src/machine/cuda/device.ts';
import { emulatedDriver } from '../../src/machine/cuda/emulated.ts';
import type { Device } from '../../src/machine/index.ts';

/** A CUDA device without a GPU. Compiled kernels are kept between runs. */
export const emulated = (): Device =>
  new CudaDevice(emulatedDriver({ cache: fileURLToPath(new URL('../../build/cuda', import.meta.url)) }));
