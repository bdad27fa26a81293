import { availableParallelism } from 'node:os';
import type { Section } from './document.ts';
import type { BenchOptions } from './options.ts';

/** What every part of the bench has at hand. */
export interface Bench {
  readonly options: BenchOptions;
  /** Numbers of threads that kernels are measured with: one, and all cores. */
  readonly threads: readonly number[];
  /** Tells how far the bench is. */
  say(line: string): void;
}

/** What a part of the bench gives: sections of the document, and all of its numbers as plain data. */
export interface PartResult {
  readonly sections: readonly Section[];
  readonly data: object;
}

export function threadCounts(): number[] {
  const all = availableParallelism();
  return all === 1 ? [1] : [1, all];
}
