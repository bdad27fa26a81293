import type { Costs, Target } from '../../plan/index.ts';
import { GPU } from '../assumed.ts';
import { CALL_FUSION, refusesCall } from '../calls/index.ts';
import type { TargetOptions } from '../cpu/target.ts';
import { imageFormats, plainFormat } from '../formats/index.ts';
import { STAGING } from './host.ts';
import { ALIGN, scratchOf } from './scratch.ts';

/** What a context takes of the GPU's memory, with the code of kernels. Not measured. */
export const CONTEXT = 448 * 2 ** 20;

const COSTS: Costs = {
  kernel: (_kernel, { flops, bytes }) =>
    GPU.launchSeconds + Math.max(flops / GPU.flopsPerSecond, bytes / GPU.bytesPerSecond),
  link: GPU.link,
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
    tiers: [{ name: 'pinned memory of the host', bytesPerSecond: GPU.hostBytesPerSecond }],
  },
  costs: COSTS,
  overlap,
  scratch: scratchOf,
});
