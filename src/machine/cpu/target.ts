import type { Target } from '../../plan/index.ts';
import { CALL_FUSION, refusesCall } from '../calls/index.ts';
import { imageFormats, plainFormat } from '../formats/index.ts';
import { HOST_FIXED, SPILL_FILE, UNMEASURED } from '../host.ts';
import { scratchOf } from '../kernels/scratch.ts';
import { costsOf } from './costs.ts';
import type { Speeds } from './speeds.ts';

/** What is told of the machine that a target stands for. */
export interface TargetOptions {
  /** Measured speeds, by which plans choose; weights that are the same everywhere by default. All processes need the same. */
  readonly speeds?: Speeds;
  /** See {@link Target.overlap}; true by default. */
  readonly overlap?: boolean;
}

/** The CPU as a target of plans; works without its library. */
export const cpuTarget = ({ speeds, overlap = true }: TargetOptions = {}): Target => ({
  name: 'cpu',
  fusion: CALL_FUSION,
  refuses: refusesCall,
  formats: imageFormats,
  plain: plainFormat,
  spaces: {
    tensors: {
      name: 'memory',
      ofHost: true,
      // A large tensor takes whole pages, as files that bypass the system's cache ask for.
      align: (bytes) => (bytes >= 2 ** 16 ? 4096 : 64),
      fixedBytes: HOST_FIXED,
    },
    tiers: [SPILL_FILE],
  },
  costs: speeds === undefined ? UNMEASURED : costsOf(speeds),
  overlap,
  scratch: scratchOf,
});

export const CPU_TARGET = cpuTarget();
