import { passedMark } from '../../src/machine/at-once.ts';
import { cudaDevice } from '../../src/machine/cuda/device.ts';
import type { Driver, KernelSource } from '../../src/machine/cuda/driver.ts';
import type { Device } from '../../src/machine/index.ts';

/** Bytes of a device, and of pinned memory of the host. */
export interface Taken {
  now: number;
  most: number;
  pinned: number;
}

/** A CUDA device that prints its kernels into `sources` and runs none. `taken`: counts what it takes; `shared`: bytes that a block may ask for. */
export function recording(
  sources: Map<string, KernelSource>,
  taken: Taken = { now: 0, most: 0, pinned: 0 },
  shared?: number,
): Device {
  let next = 256;
  const sizes = new Map<number, number>();
  const driver: Driver = {
    note: 'records',
    shared,
    allocate(bytes) {
      const at = next;
      sizes.set(at, bytes);
      taken.now += bytes;
      taken.most = Math.max(taken.most, taken.now);
      next += Math.ceil(Math.max(bytes, 1) / 256) * 256;
      return at;
    },
    free(at) {
      taken.now -= sizes.get(at)!;
      sizes.delete(at);
    },
    upload: () => undefined,
    download: async (_from, bytes) => new Uint8Array(bytes).fill(255),
    async compile(kernels) {
      for (const kernel of kernels) sources.set(kernel.name, kernel);
    },
    compileNow(kernels) {
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
    openSpill(bytes) {
      taken.pinned += bytes;
      return {
        write: () => 0,
        read: () => 0,
        settled: () => true,
        close: () => {
          taken.pinned -= bytes;
        },
      };
    },
    capture: () => ({ run: () => undefined, free: () => undefined }),
    close: () => undefined,
  };
  return cudaDevice({ driver });
}
