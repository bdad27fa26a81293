import { fail } from '../../core/index.ts';
import type { Kernel, LocalValue, StoredBoxes } from '../../plan/index.ts';
import { callOf } from '../calls/index.ts';
import { stepsOf } from './bind.ts';
import { Maker } from './maker.ts';
import { type Address, ALIGN } from './slabs.ts';
import { type GpuMemory, type GpuTensor, gpuTensor } from './tensors.ts';

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGN) * ALIGN;

const NOWHERE: GpuMemory = { bytes: 0, address: 0, kept: [] };

/** Bytes that the launches of a kernel ask for while they run: it is printed as it will be, for tensors that lie nowhere. */
export function scratchOf(
  kernel: Kernel,
  rank: number,
  storedOf: (value: LocalValue) => StoredBoxes,
): number {
  const tensors = new Map<LocalValue, GpuTensor>();
  const tensorOf = (value: LocalValue): GpuTensor => {
    const stored = storedOf(value);
    const tensor = tensors.get(value) ?? gpuTensor(NOWHERE, 0, stored, stored.boxes[rank]);
    tensors.set(value, tensor);
    return tensor;
  };
  let used = 0;
  stepsOf(
    callOf(kernel, rank, storedOf),
    new Maker({
      tensorOf,
      faults: { word: () => 0 },
      limits: { windows: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY },
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
export function scratchFrom(memory: GpuTensor | undefined): (bytes: number) => Address {
  const room = memory?.bytes ?? 0;
  let used = 0;
  return (bytes) => {
    const at = used;
    used += aligned(bytes);
    if (used > room)
      fail({
        where: 'device webgpu',
        problem: 'a kernel asks for more memory than was planned for it',
        expected: `at most ${room} bytes`,
        found: `${used} bytes`,
      });
    return memory!.address + at;
  };
}
