import type { Target } from '../../plan/index.ts';
import { CALL_FUSION, refusesCall } from '../calls/index.ts';
import { imageFormats, plainFormat } from '../formats/index.ts';
import { UNMEASURED } from '../host.ts';
import { STAGING } from '../kernels/host-copies.ts';
import { scratchOf } from '../kernels/scratch.ts';

/** The module's own data and stack, and tile memory of the kernels on one thread. Measured. */
const KERNELS = 16 * 2 ** 20;

/** A module as a target of plans: memory of its own, of 4 GiB at most; works without the module. */
export const wasmTarget = (): Target => ({
  name: 'wasm',
  fusion: CALL_FUSION,
  refuses: refusesCall,
  formats: imageFormats,
  plain: plainFormat,
  spaces: {
    tensors: {
      name: 'memory of the WebAssembly module',
      ofHost: false,
      align: () => 64,
      fixedBytes: { process: KERNELS + STAGING, rank: 2 ** 20, messages: 0 },
    },
    // Arrays of JavaScript, which lie outside of the module's memory. Not measured: that of a copy.
    tiers: [{ name: 'memory of the host', bytesPerSecond: 5e9 }],
  },
  costs: UNMEASURED,
  overlap: false,
  scratch: scratchOf,
});
