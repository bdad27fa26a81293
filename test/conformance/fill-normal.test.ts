import { expect, it } from 'vitest';
import { fillNormal } from '../../src/core/index.ts';
import { cpuDevice } from '../../src/machine/index.ts';

it('fills arrays with the bits of fillNormal, at any place and over the carry of the index, on any number of threads', () => {
  for (const threads of [1, 3]) {
    const { fillNormal: fill } = cpuDevice({ threads });
    for (const [first, count] of [
      [0, 300_001],
      [12345, 4097],
      [2 ** 32 - 3, 9],
      [2 ** 40 + 2 ** 32 - 5000, 10_000],
      [7, 0],
    ])
      for (const [key0, key1] of [
        [7, 0xdeadbeef],
        [0xffffffff, 0],
      ]) {
        const draws = { key0, key1, first, deviation: 0.3 };
        // A view that begins within a buffer: nothing around it changes.
        const room = new Float64Array(count + 2).fill(5);
        fill?.(room.subarray(1, count + 1), draws);
        const expected = new Float64Array(count + 2).fill(5);
        fillNormal(expected.subarray(1, count + 1), draws);
        expect(Buffer.compare(Buffer.from(room.buffer), Buffer.from(expected.buffer))).toBe(0);
      }
  }
});
