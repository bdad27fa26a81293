import type { Costs, Target } from '../../plan/index.ts';
import { CALL_FUSION, refusesCall } from '../calls/index.ts';
import type { TargetOptions } from '../cpu/target.ts';
import { imageFormats, plainFormat } from '../formats/index.ts';
import { STAGING } from './host.ts';
import { ALIGN, scratchOf } from './scratch.ts';

/** What a context takes of the GPU's memory, with the code of kernels. Not measured. */
export const CONTEXT = 448 * 2 ** 20;

/** Operations and bytes of memory a second, and seconds of a launch. Not measured: weights of choices, the same everywhere. */
const [FLOPS, BYTES, LAUNCH] = [2e13, 2e12, 5e-6];

const COSTS: Costs = {
  kernel: (_kernel, { flops, bytes }) => LAUNCH + Math.max(flops / FLOPS, bytes / BYTES),
  link: { bytesPerSecond: 2e10, latencySeconds: 2e-5, messageSeconds: 5e-6 },
};

/** A GPU as a target of plans; needs no driver. */
export const cudaTarget = ({ overlap = true }: TargetOptions = {}): Target => ({
  name: 'cuda',
  fusion: CALL_FUSION,
  refuses: refusesCall,
  formats: imageFormats,
  plain: plainFormat,
  spaces: {
    tensors: {
      name: 'memory of the GPU',
      ofHost: false,
      align: () => ALIGN,
      fixedBytes: { process: CONTEXT + STAGING, rank: 0, messages: 0 },
    },
    // Its speed is not measured: that of a bus of 16 lanes of PCI Express 4.
    tiers: [{ name: 'pinned memory of the host', bytesPerSecond: 2e10 }],
  },
  costs: COSTS,
  overlap,
  scratch: scratchOf,
});
