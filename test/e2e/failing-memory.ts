import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { library } from '../../src/machine/cpu/library.ts';
import type { Failing, Failures } from './every-call-fails.ts';

/**
 * Watches what the native kernels ask for memory: what they take from the system, and working space of C++. There are thousands of
 * requests, from a hundred places in the code: of each place the first and the last one fail.
 */
async function failingMemory(root: string): Promise<Failing> {
  const compiler = process.env.CXX?.split(' ') ?? ['g++'];
  const source = fileURLToPath(new URL('../../native/test/failing_memory.cpp', import.meta.url));
  const file = path.join(root, 'failing_memory.so');
  execFileSync(compiler[0], [
    ...compiler.slice(1),
    '-std=c++17',
    '-O1',
    '-fPIC',
    '-shared',
    source,
    '-o',
    file,
  ]);
  const shim = koffi.load(file);
  const watch = shim.func('failing_memory_watch', 'int', ['const char *']) as (name: string) => number;
  const failAt = shim.func('failing_memory_at', 'void', ['int64_t']) as (at: number) => void;
  const stop = shim.func('failing_memory_stop', 'void', []) as () => void;
  const requests = shim.func('failing_memory_requests', 'int64_t', []) as () => number;
  const placeOf = shim.func('failing_memory_place', 'int64_t', ['int64_t']) as (
    at: number,
  ) => bigint | number;
  const name = `libhalomesh_${library().isa}.so`;
  if (watch(name) < 5) throw new Error(`${name} does not ask for memory as it is expected to`);
  return {
    async during(at, run) {
      failAt(Number.isFinite(at) ? at : 0);
      try {
        const value = await run();
        const calls = Number(requests());
        return { value, calls, failed: calls >= at ? `request ${at} for memory` : undefined };
      } finally {
        stop();
      }
    },
    turns(step) {
      const count = Number(requests());
      const ends = new Map<string, { first: number; last: number }>();
      for (let at = 1; at <= count; at++) {
        const place = String(placeOf(at));
        ends.set(place, { first: ends.get(place)?.first ?? at, last: at });
      }
      const turns = new Set([...ends.values()].flatMap(({ first, last }) => [first, last]));
      return [...turns].sort((a, b) => a - b).filter((_, turn) => turn % step === 0);
    },
    restore: stop,
  };
}

/** Of the requests that {@link failingMemory} tells, each `step`-th. A preprocessing runs no native kernels. */
export const failuresOfMemory = (step: number): Failures => ({
  title: 'memory that runs out once',
  watch: failingMemory,
  step,
  names: () => /memory|cannot allocate/,
  least: { train: 10, predict: 10 },
});
