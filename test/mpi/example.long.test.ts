import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { describeMpi, mpirun } from './launch.ts';

const example = fileURLToPath(new URL('../../examples/mesh-over-mpi.mjs', import.meta.url));

describeMpi('the example of a mesh over processes', () => {
  it('has the same losses for any number of them', async () => {
    const found: number[][] = [];
    for (const count of [1, 2, 3]) {
      const { code, stdout, stderr } = await mpirun(count, [example]);
      expect(code, stderr).toBe(0);
      const losses = [...stdout.matchAll(/ of (\d+) processes: loss (\S+)/g)];
      expect(losses.map(([, ranks]) => Number(ranks))).toEqual(Array(5).fill(count));
      found.push(losses.map(([, , loss]) => Number(loss)));
    }
    expect(found[0][4]).toBeLessThan(found[0][0]);
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
  });
});
