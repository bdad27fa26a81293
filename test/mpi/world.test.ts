import { beforeAll, describe, expect, it } from 'vitest';
import { cpuDevice, type Device, LocalWorld, referenceDevice } from '../../src/machine/index.ts';
import { CASES, type WorldCase } from './cases.mjs';
import { describeMpi, mpirun, WORKER } from './launch.ts';

const devices: Readonly<Record<string, () => Device>> = {
  cpu: () => cpuDevice({ threads: 1 }),
  reference: referenceDevice,
};

/** Results of all ranks in one process. */
async function local({ ranks, run }: WorldCase, device: Device) {
  const world = new LocalWorld(device, ranks);
  const results = await run(world, world.processes.ranks[0], device);
  return { results, traffic: world.traffic };
}

const sums = CASES.filter(({ name }) => name.startsWith('sum'));

describe('the cases of the world of one process', () => {
  it.each(Object.keys(devices))('add in the order of the group on the device %s', async (name) => {
    const { results, traffic } = await local(sums[0], devices[name]());
    const rough = (rank: number): number => (1 + 7 / 7) * 10 ** (3 - rank * 2) * (rank % 2 ? -1 : 1);
    expect(results[0][15]).toBe(rough(0) + rough(1) + rough(2) + rough(3));
    expect(traffic.messages).toBe(2 + 2 + 6);
  });
});

interface Found {
  readonly device: string;
  readonly name: string;
  readonly ranks: readonly { readonly result: number[]; readonly traffic: Record<string, number> }[];
}

describeMpi.each([2, 3, 4])('%i ranks in processes of their own', (ranks) => {
  let found: readonly Found[] = [];
  beforeAll(async () => {
    // Pieces of 7 bytes: every message travels in several.
    const ended = await mpirun(ranks, [WORKER, 'conformance'], { HALOMESH_MPI_CHUNK: '7' });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    found = JSON.parse(ended.stdout);
  });

  const tests = CASES.filter((test) => test.ranks === ranks);
  for (const device of Object.keys(devices))
    it.each(tests)(`$name (${device})`, async (test) => {
      const expected = await local(test, devices[device]());
      const got = found.find((one) => one.name === test.name && one.device === device)!;
      expect(got.ranks.map(({ result }) => result)).toEqual(expected.results);
      for (const [key, count] of Object.entries(expected.traffic))
        expect(got.ranks.reduce((sum, { traffic }) => sum + traffic[key], 0)).toBe(count);
    });
});

describeMpi('processes', () => {
  it('share texts of any length and deliver arrays', async () => {
    const { code, stdout } = await mpirun(3, [WORKER, 'texts'], { HALOMESH_MPI_CHUNK: '4096' });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ lengths: [1000, 2000, 3000], right: true });
  });

  it('leave no byte of native memory behind when they have trained', async () => {
    const { code, stdout } = await mpirun(2, [WORKER, 'leaks']);
    expect(code).toBe(0);
    const { before, during, after } = JSON.parse(stdout);
    for (const held of during) expect(held).toBeGreaterThan(before[0]);
    expect(after).toEqual(Array.from({ length: 5 }, () => before));
  });
});
