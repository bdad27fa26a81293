import { type InstructionSet, library } from './library.ts';

// What the machine can do at most, measured now, on the threads that the kernels run on and with their instructions.

/** Which kernels run on this processor (or the set that HALOMESH_ISA forces). */
export function instructionSet(): InstructionSet {
  return library().isa;
}

/** Ways through memory. Copied bytes count twice: read and written. */
export const MEMORY_KINDS = ['read', 'write', 'copy'] as const;
export type MemoryKind = (typeof MEMORY_KINDS)[number];

/** Floating-point operations a second of multiply-adds in registers, which count two each. */
export function peakFlops(threads: number, seconds = 0.05): number {
  return measured(threads, (result) => library().call('hm_peak_flops', seconds, result));
}

/** Bytes a second through an array of `bytes` bytes. */
export function peakMemory(kind: MemoryKind, threads: number, bytes = 2 ** 29, seconds = 0.3): number {
  const code = MEMORY_KINDS.indexOf(kind);
  return measured(threads, (result) => library().call('hm_peak_memory', code, bytes, seconds, result));
}

/** Runs `measure` on some threads, and gives the number that it leaves. */
function measured(threads: number, measure: (result: number) => void): number {
  const lib = library();
  const before = lib.threads;
  const result = lib.allocate(64);
  lib.useThreads(threads);
  try {
    measure(result);
    const number = new Float64Array(1);
    lib.download(result, number);
    return number[0];
  } finally {
    lib.free(result, 64);
    lib.useThreads(before);
  }
}
