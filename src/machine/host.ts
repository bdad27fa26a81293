import { type Costs, type FixedBytes, NO_FUSION, type Target, type Tier } from '../plan/index.ts';
import { plainFormat } from './formats/index.ts';

// What devices that compute on the host have in common.

/** Node.js, its libraries and compiled code before it trains anything. Measured. */
const NODE = 85 * 2 ** 20;
/** Tile memory of the kernels, transformed weights and sums of Winograd's filtering among it. Measured. */
const KERNELS = 48 * 2 ** 20;

/** Bytes of a process beside its tensors. */
export const HOST_FIXED: FixedBytes = {
  process: NODE + KERNELS,
  // Its share of the bound program, and what MPI adds. Measured.
  rank: 5 * 2 ** 20,
  messages: 16 * 2 ** 20,
};

/** The file that tensors are spilled to. Its speed is not measured: that of a plain disk. */
export const SPILL_FILE: Tier = { name: 'spill file', bytesPerSecond: 1e9 };

/** Memory in plain lines of a cache, and the spill file. */
export const HOST_SPACES: Target['spaces'] = {
  tensors: { name: 'memory', ofHost: true, align: () => 64, fixedBytes: HOST_FIXED },
  tiers: [SPILL_FILE],
};

/** Operations and bytes of memory a second where nothing was measured: of one or two cores, beside a disk of 1 GB/s. */
const [FLOPS, BYTES] = [2.5e11, 1e10];

/** Weights of choices where nothing was measured: the same on every machine, so that all make the same plans. */
export const UNMEASURED: Costs = {
  kernel: (_kernel, { flops, bytes }) => Math.max(flops / FLOPS, bytes / BYTES),
  link: { bytesPerSecond: 1e9, latencySeconds: 0, messageSeconds: 0 },
};

/** What plans are made for where nothing is known of kernels: each operation is one, over plain tensors in memory. */
export const PLAIN_TARGET: Omit<Target, 'name'> = {
  fusion: NO_FUSION,
  refuses: () => undefined,
  formats: () => plainFormat,
  plain: plainFormat,
  spaces: HOST_SPACES,
  costs: UNMEASURED,
  overlap: true,
};
