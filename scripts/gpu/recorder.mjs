// A driver below the CUDA device that has no GPU: it keeps what is asked for and runs nothing.
import { join } from 'node:path';
import { packageRoot } from '../setup/common.mjs';

/** `launches`: those of the last CUDA graph, each a kernel's source, blocks and bytes of arguments. */
export async function recorder() {
  const { passedMark } = await import(join(packageRoot, 'dist/machine/at-once.js'));
  let next = 256;
  let asked = [];
  const driver = {
    note: 'records',
    launches: [],
    allocate(bytes) {
      const at = next;
      next += Math.ceil(Math.max(bytes, 1) / 256) * 256;
      return at;
    },
    free: () => undefined,
    upload: () => undefined,
    // Words of faults: none.
    download: async (_from, bytes) => new Uint8Array(bytes).fill(255),
    compile: async () => undefined,
    kernel: (source) => ({
      launch: (blocks, args) => {
        const own = args.slice();
        return () => asked.push({ source, blocks, args: own });
      },
    }),
    mark: passedMark,
    done: async () => undefined,
    room: (bytes) => ({ address: 0, bytes, view: (most) => new Uint8Array(most) }),
    freeRoom: () => undefined,
    openSpill: () => ({
      write: () => 0,
      read: () => 0,
      settled: () => true,
      close: () => undefined,
    }),
    capture(run) {
      asked = [];
      run();
      driver.launches = asked;
      return { run: () => undefined, free: () => undefined };
    },
    close: () => undefined,
  };
  return driver;
}
