import type { Costs, FusionRules, Target } from '../../plan/index.ts';
import { GPU } from '../assumed.ts';
import { CALL_FUSION, refusesCall } from '../calls/index.ts';
import type { Speeds } from '../cpu/speeds.ts';
import type { TargetOptions } from '../cpu/target.ts';
import { imageFormats, LANES, plainFormat } from '../formats/index.ts';
import { STAGING } from './host.ts';
import { ALIGN, type Slabs } from './scratch.ts';
import { scratchOf } from './scratch-plan.ts';

/** What a context takes of the GPU's memory, with the code of kernels. Not measured. */
export const CONTEXT = 448 * 2 ** 20;

const COSTS: Costs = {
  kernel: (_kernel, { flops, bytes }) =>
    GPU.launchSeconds + Math.max(flops / GPU.flopsPerSecond, bytes / GPU.bytesPerSecond),
  link: GPU.link,
};

/** Figures of a machine with one GPU, without a measurement. */
export function assumedGpu(): Speeds {
  const { flopsPerSecond, bytesPerSecond, launchSeconds, link } = GPU;
  const speed = { flopsPerSecond, bytesPerSecond };
  return {
    name: 'a GPU',
    source: 'not measured: what plans for a GPU choose by',
    cores: 1,
    allCores: 1,
    launchSeconds,
    kernels: { conv: speed, weightGradient: speed, smallConv: speed, pass: speed },
    memoryBytesPerSecond: bytesPerSecond,
    link: { ...link, source: 'not measured: pinned memory of the host at both ends' },
  };
}

/**
 * The gradient of a layer's output is stored where both the gradients of its weight and of its input are products that take finished
 * bfloat16 numbers: else each would work it out by itself, with the random numbers of dropout.
 */
const FUSION: FusionRules = {
  ...CALL_FUSION,
  stores: ({ dtype, shape }, waiting) =>
    dtype === 'bf16' &&
    shape[shape.length - 1].size % LANES === 0 &&
    waiting.length > 1 &&
    waiting.some(({ op }) => op.name === 'conv_weight_grad'),
};

export interface CudaTargetOptions extends TargetOptions {
  readonly slabs?: Slabs;
  /** Bytes of shared memory that a block may ask for. */
  readonly shared?: number;
}

/** What lies in the cache of the largest devices for the most part, and planes of which two more are few. */
export const SLABS: Slabs = { bytes: 64 * 2 ** 20, planes: 16 };

/** Bytes of shared memory of a block that kernels ask for at most: what GPUs of data centres have from compute capability 8.0 on. */
export const SHARED = 163 << 10;

/** A GPU as a target of plans; needs no driver. */
export const cudaTarget = ({
  overlap = true,
  slabs = SLABS,
  shared = SHARED,
}: CudaTargetOptions = {}): Target => ({
  name: 'cuda',
  fusion: FUSION,
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
  scratch: (kernel, rank, storedOf) => scratchOf(kernel, rank, storedOf, { slabs, shared }),
});
