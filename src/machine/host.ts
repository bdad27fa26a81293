import { type Costs, type FixedBytes, NO_FUSION, type Target, type Tier } from '../plan/index.ts';
import { DISK_BYTES, WEIGHTS } from './assumed.ts';
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
export const SPILL_FILE: Tier = { name: 'spill file', bytesPerSecond: DISK_BYTES };

/** Memory in plain lines of a cache, and the spill file. */
export const HOST_SPACES: Target['spaces'] = {
  tensors: { name: 'memory', ofHost: true, align: () => 64, fixedBytes: HOST_FIXED },
  tiers: [SPILL_FILE],
};

/** Weights of choices where nothing was measured: the same on every machine, so that all make the same plans. */
export const UNMEASURED: Costs = {
  kernel: (_kernel, { flops, bytes }) =>
    Math.max(flops / WEIGHTS.flopsPerSecond, bytes / WEIGHTS.bytesPerSecond),
  link: WEIGHTS.link,
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
