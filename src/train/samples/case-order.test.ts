import { describe, expect, it } from 'vitest';
import { CaseOrder } from './case-order.ts';

const places = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('CaseOrder', () => {
  it('takes every case once an epoch, in an order that the seed alone decides', () => {
    const order = new CaseOrder(5, 3);
    const epochs = [0, 1, 2].map((epoch) => [0, 1, 2, 3, 4].map((i) => order.at(epoch * 5 + i)));
    for (const epoch of epochs) expect([...epoch].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(new Set(epochs.map(String)).size).toBeGreaterThan(1);
    expect(new CaseOrder(5, 3).at(12)).toBe(epochs[2][2]);
    expect(order.epochOf(14)).toBe(2);
  });

  it('balanced, draws every second case by its classes: the only one with a rare class comes often', () => {
    // Class 1 is in all of ten cases, class 2 in case 7 alone, class 3 nowhere.
    const voxels = places(10).map((i) => [1000, 50, i === 7 ? 1 : 0, 0]);
    const order = new CaseOrder(10, 3, voxels);
    const drawn = places(400).map((position) => order.at(position));
    // Half of 200 draws take class 2, 10 come of class 1, and 20 of the permutations.
    const often = drawn.filter((i) => i === 7).length;
    expect(often).toBeGreaterThan(100);
    expect(often).toBeLessThan(160);
    const even = drawn.filter((_, position) => position % 2 === 0);
    for (let epoch = 0; epoch < 20; epoch++)
      expect(even.slice(epoch * 10, epoch * 10 + 10).sort((a, b) => a - b)).toEqual(places(10));
    const again = new CaseOrder(10, 3, voxels);
    for (const position of [399, 2, 17, 300]) expect(again.at(position)).toBe(drawn[position]);
    expect(places(400).map((p) => new CaseOrder(10, 4, voxels).at(p))).not.toEqual(drawn);
  });

  it('balanced, is as without where no case holds a class', () => {
    const none = new CaseOrder(3, 1, [
      [5, 0],
      [5, 0],
      [5, 0],
    ]);
    expect(places(9).map((p) => none.at(p))).toEqual(places(9).map((p) => new CaseOrder(3, 1).at(p)));
  });
});
