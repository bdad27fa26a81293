import { type Costs, NO_FUSION, type Target } from '../../plan/index.ts';
import { GPU } from '../assumed.ts';
import { plainFormat } from '../formats/index.ts';
import { refusesOp } from './kernel.ts';

/** What a plug-in takes of memory beside tensors: not measured. */
const FIXED = 256 * 2 ** 20;

/** Assumed: those of a GPU. A compiler fuses what it likes, so bytes of single operations are more than are moved. */
const COSTS: Costs = {
  kernel: (_kernel, { flops, bytes }) => Math.max(flops / GPU.flopsPerSecond, bytes / GPU.bytesPerSecond),
  link: GPU.link,
};

/** A device behind the PJRT interface as a target of plans; needs no plug-in. Every operation is one kernel: the compiler fuses. */
export const pjrtTarget = (): Target => ({
  name: 'pjrt',
  fusion: NO_FUSION,
  refuses: refusesOp,
  formats: () => plainFormat,
  plain: plainFormat,
  spaces: {
    tensors: {
      name: 'memory of the device',
      ofHost: false,
      align: () => 64,
      fixedBytes: { process: FIXED, rank: 0, messages: 0 },
    },
    tiers: [{ name: 'memory of the host', bytesPerSecond: GPU.hostBytesPerSecond }],
  },
  costs: COSTS,
  overlap: false,
});
