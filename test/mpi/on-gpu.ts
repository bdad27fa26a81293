import { expect } from 'vitest';
import { LocalWorld } from '../../src/machine/index.ts';
import { CACHE, emulated } from '../cuda/emulated.ts';
import { CASES } from './cases.mjs';
import { mpirun, WORKER } from './launch.ts';

// Processes with a CUDA device each, on the emulator: their messages lie in memory of the device and travel by every transport.

export const GPU_WORKER = WORKER.replace(/worker\.mjs$/, 'gpu-worker.mjs');
export const ENV = { HALOMESH_CUDA: 'emulated', HALOMESH_CACHE: CACHE.replace(/cuda$/, '') };

const SHOWN = { pinned: 'pinned memory', ipc: 'CUDA IPC', mpi: 'memory of GPUs by MPI' } as const;

interface Case {
  readonly name: string;
  readonly transport: string;
  readonly ranks: readonly { readonly result: number[]; readonly traffic: Record<string, number> }[];
}

/** What a worker finds with each transport. */
export async function foundBy<T>(
  ranks: number,
  what: string,
): Promise<readonly { readonly transport: keyof typeof SHOWN; readonly found: T }[]> {
  const ended = await mpirun(ranks, [GPU_WORKER, what, ...Object.keys(SHOWN)], ENV);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(ended.stdout);
}

/** Every case of the worlds: results and bytes as in one process. */
export async function expectCases(ranks: number): Promise<void> {
  const device = emulated();
  const all = await foundBy<readonly Case[]>(ranks, 'conformance');
  for (const test of CASES.filter((one) => one.ranks === ranks)) {
    const world = new LocalWorld(device, ranks);
    const results = await test.run(world, world.processes.ranks[0], device);
    for (const { transport, found } of all) {
      const got = found.find(({ name }) => name === test.name)!;
      expect(got.transport).toBe(SHOWN[transport]);
      const what = `${test.name}, ${transport}`;
      expect(
        got.ranks.map(({ result }) => result),
        what,
      ).toEqual(results);
      for (const [key, count] of Object.entries(world.traffic))
        expect(
          got.ranks.reduce((sum, { traffic }) => sum + traffic[key], 0),
          what,
        ).toBe(count);
    }
  }
}
