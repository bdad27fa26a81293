import { passedMark } from '../../src/machine/at-once.ts';
import { cudaDevice } from '../../src/machine/cuda/device.ts';
import type { Driver, KernelSource } from '../../src/machine/cuda/driver.ts';
import type { Device } from '../../src/machine/index.ts';

/** A CUDA device that prints its kernels into `sources` and runs none. */
export function recording(sources: Map<string, KernelSource>): Device {
  let next = 256;
  const driver: Driver = {
    note: 'records',
    allocate(bytes) {
      const at = next;
      next += Math.ceil(Math.max(bytes, 1) / 256) * 256;
      return at;
    },
    free: () => undefined,
    upload: () => undefined,
    download: async (_from, bytes) => new Uint8Array(bytes).fill(255),
    async compile(kernels) {
      for (const kernel of kernels) sources.set(kernel.name, kernel);
    },
    kernel(source) {
      sources.set(source.name, source);
      return { launch: () => () => undefined };
    },
    mark: passedMark,
    done: async () => undefined,
    room: (bytes) => ({ address: 0, bytes, view: (most) => new Uint8Array(most) }),
    freeRoom: () => undefined,
    openSpill: () => ({ write: () => 0, read: () => 0, settled: () => true, close: () => undefined }),
    capture: () => ({ run: () => undefined, free: () => undefined }),
    close: () => undefined,
  };
  return cudaDevice({ driver });
}
