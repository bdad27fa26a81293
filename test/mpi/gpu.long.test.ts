import { expect, it } from 'vitest';
import { mesh } from '../../src/core/index.ts';
import { bench } from '../../src/measure/index.ts';
import { emulated } from '../cuda/emulated.ts';
import { describeMpi, mpirun } from './launch.ts';
import { ENV, expectCases, foundBy, GPU_WORKER } from './on-gpu.ts';

interface Training {
  readonly losses: readonly number[];
  readonly counted: number;
  readonly predicted: number;
}

describeMpi('processes with a CUDA device', () => {
  it.each([2, 4])('%i ranks get what one process gets, over every transport', expectCases);

  it('3 ranks with uneven blocks train as one process does, to the last bit, and send what is predicted', async () => {
    const alone = await bench({
      size: 10,
      network: { base: 4, levels: 2 },
      layout: { depth: 'depth' },
      mesh: mesh({ depth: 3 }),
      steps: 2,
      device: emulated(),
    });
    for (const { found } of await foundBy<Training>(3, 'training')) {
      expect(found.losses).toEqual(alone.losses);
      expect(found.counted).toBe(found.predicted);
      expect(found.counted).toBeGreaterThan(0);
    }
  });

  it.each(['pinned', 'ipc'])('all end when one is killed, with messages by %s', async (transport) => {
    let killed: number | undefined;
    const ended = await mpirun(3, [GPU_WORKER, 'busy', transport], ENV, (text) => {
      const pids = /^pids (.*)$/m.exec(text)?.[1];
      if (pids === undefined || killed !== undefined) return;
      killed = Date.now();
      process.kill(Number(pids.split(' ')[2]), 'SIGKILL');
    });
    expect(killed).toBeDefined();
    expect(Date.now() - killed!).toBeLessThan(10_000);
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toMatch(/rank 2.*signal 9|killed/s);
  });

  it('an error of one rank is told with its rank and step and ends all', async () => {
    const ended = await mpirun(2, [GPU_WORKER, 'broken', 'ipc'], ENV);
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).not.toMatch(/signal 11/);
    expect(ended.stderr).toMatch(/halomesh: rank 1: step #\d+ \(.*\): a cosmic ray/);
  });
});
