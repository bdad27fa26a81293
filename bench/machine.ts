import { cpus, type as systemType, totalmem } from 'node:os';
import * as hm from 'halomesh';
import type { Section } from './document.ts';
import { digits, gib, median } from './statistics.ts';

// The machine: what it is, and what it can do at most.

/** Peaks of one look, on some threads. */
export interface Peaks {
  readonly threads: number;
  readonly flops: number;
  /** Bytes a second. */
  readonly memory: Readonly<Record<hm.MemoryKind, number>>;
}

/** Measures all peaks on every number of threads. */
export function lookAtPeaks(threads: readonly number[], quick: boolean): Peaks[] {
  const [bytes, seconds] = quick ? [2 ** 28, 0.1] : [2 ** 29, 0.5];
  return threads.map((n) => ({
    threads: n,
    flops: hm.peakFlops(n, seconds),
    memory: Object.fromEntries(
      hm.MEMORY_KINDS.map((kind) => [kind, hm.peakMemory(kind, n, bytes, seconds)]),
    ) as Record<hm.MemoryKind, number>,
  }));
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly instructionSet: string;
}

export function machine(): Machine {
  const list = cpus();
  return {
    processor: list[0]?.model.trim() ?? 'unknown processor',
    cores: list.length,
    memoryBytes: totalmem(),
    system: `${systemType()} ${process.arch}`,
    instructionSet: hm.instructionSet(),
  };
}

/** A sentence of the machine, for the head of every section. */
export function showMachine({ processor, cores, memoryBytes, instructionSet }: Machine): string {
  return `${processor}, ${cores} ${cores === 1 ? 'core' : 'cores'}, ${instructionSet}, ${gib(memoryBytes)}`;
}

/** The section of the machine; `looks` are taken before, among and after the kernels. */
export function machineSection(what: Machine, looks: readonly Peaks[]): Section {
  const threads = [...new Set(looks.map((look) => look.threads))];
  const row = (name: string, unit: string, value: (look: Peaks) => number): string[] => [
    name,
    unit,
    ...threads.flatMap((n) => {
      const values = looks.filter((look) => look.threads === n).map((look) => value(look) / 1e9);
      return [Math.max(...values), median(values), Math.min(...values)].map(digits);
    }),
  ];
  const memory = { read: 'memory, read', write: 'memory, write', copy: 'memory, copy (read + written)' };
  const rows = [
    row('multiply-adds', 'GFLOP/s', (look) => look.flops),
    ...hm.MEMORY_KINDS.map((kind) => row(memory[kind], 'GB/s', (look) => look.memory[kind])),
  ];
  const columns = [
    { title: 'peak' },
    { title: 'unit' },
    ...threads.flatMap((n) =>
      ['best', 'median', 'worst'].map((title) => ({ title: `${n} thr. ${title}`, right: true })),
    ),
  ];
  const body = `${what.processor}, ${what.cores} cores, ${gib(what.memoryBytes)} of memory, ${what.system}; kernels for ${what.instructionSet}.

Peaks are measured ${looks.length / threads.length} times: before, among and after the kernels below. Multiply-adds: independent chains of fused multiply-adds on float32 vector registers of that instruction set, each counted as two operations. Memory: arrays far above the caches, by vector loads, memset and memcpy.

${hm.markdownTable(columns, rows)}`;
  return { key: 'machine', title: 'The machine', body };
}
