import type { Target } from '../../plan/index.ts';
import { CALL_FUSION, refusesCall } from '../calls/index.ts';
import { imageFormats, plainFormat } from '../formats/index.ts';

/** A GPU as a target of plans; needs no driver. */
export const CUDA_TARGET: Target = {
  name: 'cuda',
  fusion: CALL_FUSION,
  refuses: refusesCall,
  formats: imageFormats,
  plain: plainFormat,
  spaces: {
    // What memory of the device begins at, too; a multiple of every vector that kernels load.
    tensors: { name: 'device memory', align: () => 256 },
  },
};
