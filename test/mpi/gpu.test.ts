import { expect, it } from 'vitest';
import { mesh } from '../../src/core/index.ts';
import { type Device, LocalWorld } from '../../src/machine/index.ts';
import { bench } from '../../src/measure/index.ts';
import { emulated } from '../cuda/emulated.ts';
import { CASES } from './cases.mjs';
import { describeMpi, mpirun, WORKER } from './launch.ts';

// Processes with a CUDA device each, on the emulator: their messages lie in memory of the device and travel by every transport.

const GPU_WORKER = WORKER.replace(/worker\.mjs$/, 'gpu-worker.mjs');
const TRANSPORTS = ['pinned', 'ipc', 'mpi'];
const ENV = { HALOMESH_CUDA: 'emulated' };

interface Case {
  readonly name: string;
  readonly transport: string;
  readonly ranks: readonly { readonly result: number[]; readonly traffic: Record<string, number> }[];
}

interface Training {
  readonly losses: readonly number[];
  readonly counted: number;
  readonly predicted: number;
}

async function found<T>(ranks: number, what: string): Promise<readonly { transport: string; found: T }[]> {
  const ended = await mpirun(ranks, [GPU_WORKER, what, ...TRANSPORTS], ENV);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(ended.stdout);
}

const SHOWN = { pinned: 'pinned memory', ipc: 'CUDA IPC', mpi: 'memory of GPUs by MPI' } as const;

describeMpi('processes with a CUDA device', () => {
  it.each([2, 3, 4])('%i ranks get what one process gets, over every transport', async (ranks) => {
    const device: Device = emulated();
    const all = await found<readonly Case[]>(ranks, 'conformance');
    for (const test of CASES.filter((one) => one.ranks === ranks)) {
      const world = new LocalWorld(device, ranks);
      const results = await test.run(world, world.processes.ranks[0], device);
      for (const { transport, found } of all) {
        const got = found.find(({ name }) => name === test.name)!;
        expect(got.transport).toBe(SHOWN[transport as keyof typeof SHOWN]);
        expect(
          got.ranks.map(({ result }) => result),
          `${test.name}, ${transport}`,
        ).toEqual(results);
        for (const [key, count] of Object.entries(world.traffic))
          expect(got.ranks.reduce((sum, { traffic }) => sum + traffic[key], 0)).toBe(count);
      }
    }
  });

  it('3 ranks with uneven blocks train as one process does, to the last bit, and send what is predicted', async () => {
    const alone = await bench({
      size: 10,
      network: { base: 4, levels: 2 },
      layout: { depth: 'depth' },
      mesh: mesh({ depth: 3 }),
      steps: 2,
      device: emulated(),
    });
    for (const { found: one } of await found<Training>(3, 'training')) {
      expect(one.losses).toEqual(alone.losses);
      expect(one.counted).toBe(one.predicted);
      expect(one.counted).toBeGreaterThan(0);
    }
  });
});
