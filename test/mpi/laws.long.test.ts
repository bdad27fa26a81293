import { beforeAll, expect, it } from 'vitest';
import { cpuDevice } from '../../src/machine/index.ts';
import { describeMpi, mpirun, WORKER } from './launch.ts';
import { type Found, lawsOf, MESHES, ranksOf } from './laws-net.mjs';

// A U-Net, its loss and every gradient over processes: equal to all ranks in one process bit for bit, with the bytes of the plan.

describeMpi.each([2, 3, 4, 8])('the network of the laws over %i processes', (ranks) => {
  const tests = MESHES.filter((test) => ranksOf(test) === ranks);
  let found: readonly Found[] = [];
  beforeAll(async () => {
    const ended = await mpirun(ranks, [WORKER, 'laws'], { HALOMESH_MPI_CHUNK: '1000' });
    expect(ended.code, ended.stderr).toBe(0);
    found = JSON.parse(ended.stdout);
  });

  it.each(tests.map((test, i) => [test, i] as const))('%j', async (test, i) => {
    const here = await lawsOf(test, cpuDevice({ threads: 1 }));
    const there = found[i];
    expect(there.results).toEqual(JSON.parse(JSON.stringify(here.results)));
    expect(Object.keys(there.results).length).toBeGreaterThan(20);
    expect(there.sent).toEqual(there.predicted);
    expect(here.sent).toEqual(here.predicted);
    expect(there.predicted).toEqual(here.predicted);
  });
});
