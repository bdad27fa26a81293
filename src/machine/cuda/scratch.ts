import { fail } from '../../core/index.ts';
import type { Kernel, LocalValue, StoredBoxes } from '../../plan/index.ts';
import { callOf } from '../calls/index.ts';
import { stepsOf } from './bind.ts';
import type { Address } from './driver.ts';
import { Maker } from './maker.ts';
import { type CudaMemory, type CudaTensor, cudaTensor } from './tensors.ts';

/** Where every piece of scratch begins, as tensors do: a multiple of every vector that kernels load. */
export const ALIGN = 256;

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGN) * ALIGN;

const NOWHERE: CudaMemory = { bytes: 0, taken: 0, address: 0, kept: [], graphs: [] };

/** Bytes that the launches of a kernel ask for while they run: it is printed as it will be, for tensors that lie nowhere. */
export function scratchOf(
  kernel: Kernel,
  rank: number,
  storedOf: (value: LocalValue) => StoredBoxes,
): number {
  const tensors = new Map<LocalValue, CudaTensor>();
  const tensorOf = (value: LocalValue): CudaTensor => {
    const stored = storedOf(value);
    const tensor = tensors.get(value) ?? cudaTensor(NOWHERE, 0, stored, stored.boxes[rank]);
    tensors.set(value, tensor);
    return tensor;
  };
  let used = 0;
  stepsOf(
    callOf(kernel, rank, storedOf),
    new Maker({
      tensorOf,
      faults: { word: () => 0 },
      home: NOWHERE,
      what: '',
      scratch(bytes) {
        used += aligned(bytes);
        return 0;
      },
      keep: () => 0,
    }),
  );
  return used;
}

/** Gives pieces of memory that the plan has set aside, one after the other. */
export function scratchFrom(memory: CudaTensor | undefined): (bytes: number) => Address {
  const room = memory?.bytes ?? 0;
  let used = 0;
  return (bytes) => {
    const at = used;
    used += aligned(bytes);
    if (used > room)
      fail({
        where: 'device cuda',
        problem: 'a kernel asks for more memory than was planned for it',
        expected: `at most ${room} bytes`,
        found: `${used} bytes`,
      });
    return memory!.address + at;
  };
}
