import { CALL_FUSION, refusesCall } from '../calls/index.ts';
import { plainTypes, storageBytes } from '../formats/index.ts';

/** The CPU as a target of plans; works without its library. */
export const CPU_TARGET = {
  name: 'cpu',
  fusion: CALL_FUSION,
  refuses: refusesCall,
  plain: plainTypes,
  storageBytes,
};
