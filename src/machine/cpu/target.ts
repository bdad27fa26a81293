import type { Target } from '../../plan/index.ts';
import { CALL_FUSION, refusesCall } from '../calls/index.ts';
import { imageFormats, plainFormat } from '../formats/index.ts';

/** The CPU as a target of plans; works without its library. */
export const CPU_TARGET: Target = {
  name: 'cpu',
  fusion: CALL_FUSION,
  refuses: refusesCall,
  formats: imageFormats,
  plain: plainFormat,
  spaces: {
    tensors: {
      name: 'memory',
      // A large tensor takes whole pages, as files that bypass the system's cache ask for.
      align: (bytes) => (bytes >= 2 ** 16 ? 4096 : 64),
    },
  },
};
