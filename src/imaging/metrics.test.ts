import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Confusion, evaluation } from './metrics.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);
const names = ['background', 'liver', 'tumour'];

describe('Confusion', () => {
  it('counts voxels and gives Dice and accuracy', () => {
    const confusion = new Confusion(3).add(bytes(0, 1, 1, 2, 0, 1), bytes(0, 1, 0, 2, 1, 1));
    expect(confusion.dice(1)).toBe((2 * 2) / (3 + 3));
    expect(confusion.dice(2)).toBe(1);
    expect(confusion.accuracy).toBe(4 / 6);
    expect([confusion.voxels, confusion.trueVoxels(1), confusion.predictedVoxels(2)]).toEqual([6, 3, 1]);
  });

  it('defines empty classes: nothing to find is null, something found there is 0', () => {
    expect(new Confusion(3).add(bytes(0, 1), bytes(0, 1)).dice(2)).toBeNull();
    expect(new Confusion(3).add(bytes(0, 2), bytes(0, 1)).dice(2)).toBe(0);
    expect(new Confusion(3).add(bytes(0, 1), bytes(0, 2)).dice(2)).toBe(0);
    expect(new Confusion(2).accuracy).toBeNull();
  });

  it('refuses other lengths and classes', () => {
    expect(() => new Confusion(2).add(bytes(0), bytes(0, 1))).toThrow('prediction: expected 2 voxels');
    expect(() => new Confusion(2).add(bytes(0, 2), bytes(0, 1))).toThrow('voxel 1: expected classes below 2');
    expect(() => new Confusion(2).merge(new Confusion(3))).toThrow('classes: expected 2, found 3');
  });

  it('gives the same sums however a volume is divided, and Dice within 0 and 1', () => {
    const pair = fc.tuple(fc.nat(2), fc.nat(2));
    fc.assert(
      fc.property(fc.array(pair), fc.array(pair), (a, b) => {
        const part = (pairs: [number, number][]) => [0, 1].map((n) => bytes(...pairs.map((p) => p[n])));
        const count = (pairs: [number, number][]) => new Confusion(3).add(part(pairs)[0], part(pairs)[1]);
        expect(count(a).merge(count(b)).counts).toEqual(count([...a, ...b]).counts);
        for (const label of [0, 1, 2]) {
          const dice = count(a).dice(label) ?? 0;
          expect(dice >= 0 && dice <= 1).toBe(true);
        }
      }),
    );
  });
});

it('evaluation leaves undefined cases out of means and sums up for the global score', () => {
  const cases = [
    { id: 'a', confusion: new Confusion(3).add(bytes(1, 1, 2, 0), bytes(1, 1, 2, 2)) },
    { id: 'b', confusion: new Confusion(3).add(bytes(1, 0, 0, 0), bytes(1, 1, 0, 0)) },
  ];
  const result = evaluation(cases, names);
  expect(result.cases.map(({ dice }) => dice.tumour)).toEqual([2 / 3, null]);
  expect(result.classes[2]).toEqual({
    name: 'tumour',
    meanDice: 2 / 3,
    casesScored: 1,
    globalDice: 2 / 3,
    trueShare: 2 / 8,
    predictedShare: 1 / 8,
  });
  expect(result.classes[1].meanDice).toBeCloseTo((1 + 2 / 3) / 2, 12);
  expect(result.classes[1].globalDice).toBe(6 / 7);
  expect(result.accuracy).toBe(6 / 8);
  expect(evaluation([], names).classes[1]).toMatchObject({ meanDice: null, globalDice: null, trueShare: 0 });
});
