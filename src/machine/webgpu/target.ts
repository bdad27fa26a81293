import type { Costs, Target } from '../../plan/index.ts';
import { GPU } from '../assumed.ts';
import { CALL_FUSION, refusesCall } from '../calls/index.ts';
import { STAGING } from './host.ts';
import { scratchOf } from './scratch.ts';
import { ALIGN } from './slabs.ts';
import { imageWords, plainWords } from './tensors.ts';

/** What a device takes of memory beside tensors, with the code of kernels. Not measured. */
const FIXED = 64 * 2 ** 20;

const COSTS: Costs = {
  kernel: (_kernel, { flops, bytes }) =>
    GPU.launchSeconds + Math.max(flops / GPU.flopsPerSecond, bytes / GPU.bytesPerSecond),
  link: GPU.link,
};

/** WebGPU as a target of plans; needs no adapter. */
export const webgpuTarget = (): Target => ({
  name: 'webgpu',
  fusion: CALL_FUSION,
  refuses: refusesCall,
  formats: imageWords,
  plain: plainWords,
  spaces: {
    tensors: {
      name: 'memory of the GPU',
      ofHost: false,
      align: () => ALIGN,
      fixedBytes: { process: FIXED + 2 * STAGING, rank: 0, messages: 0 },
    },
    // Its speed is not measured: that of a bus of 16 lanes of PCI Express 4.
    tiers: [{ name: 'memory of the host', bytesPerSecond: GPU.hostBytesPerSecond }],
  },
  costs: COSTS,
  overlap: false,
  scratch: scratchOf,
});
