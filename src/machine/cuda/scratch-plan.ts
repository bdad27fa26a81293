import type { Kernel, LocalValue, StoredBoxes } from '../../plan/index.ts';
import { callOf } from '../calls/index.ts';
import { stepsOf } from './bind.ts';
import { Maker, type Making } from './maker.ts';
import { Scratch } from './scratch.ts';
import { type CudaMemory, type CudaTensor, cudaTensor } from './tensors.ts';

const NOWHERE: CudaMemory = { bytes: 0, taken: 0, address: 0, kept: [], graphs: [] };

/** Bytes that the launches of a kernel ask for while they run: it is printed as it will be, for tensors that lie nowhere. */
export function scratchOf(
  kernel: Kernel,
  rank: number,
  storedOf: (value: LocalValue) => StoredBoxes,
  room: Pick<Making, 'slabs' | 'shared'>,
): number {
  const tensors = new Map<LocalValue, CudaTensor>();
  const tensorOf = (value: LocalValue): CudaTensor => {
    const stored = storedOf(value);
    const tensor = tensors.get(value) ?? cudaTensor(NOWHERE, 0, stored, stored.boxes[rank]);
    tensors.set(value, tensor);
    return tensor;
  };
  const scratch = new Scratch();
  const faults = { word: () => 0 };
  stepsOf(
    callOf(kernel, rank, storedOf),
    new Maker({ tensorOf, faults, home: NOWHERE, what: '', scratch, ...room, keep: () => 0 }),
  );
  return scratch.most;
}
