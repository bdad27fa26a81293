import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Confusion } from './metrics.ts';
import { compareCase, evaluation, summaryOf } from './metrics-evaluation.ts';

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

  it('gives the scores of a class from its counts', () => {
    // True, predicted, both: 3, 4, 2, of 8 voxels.
    const confusion = new Confusion(2).add(bytes(1, 1, 0, 1, 1, 0, 0, 0), bytes(1, 1, 1, 0, 0, 0, 0, 0));
    expect(confusion.scores(1)).toEqual({
      trueVoxels: 3,
      predictedVoxels: 4,
      sharedVoxels: 2,
      dice: 4 / 7,
      jaccard: 2 / 5,
      precision: 2 / 4,
      recall: 2 / 3,
      specificity: 3 / 5,
      volumeDifference: 100 / 3,
    });
    const nothing = new Confusion(2).add(bytes(0, 0), bytes(0, 0)).scores(1);
    expect(nothing).toMatchObject({ jaccard: null, precision: null, recall: null, specificity: 1 });
    expect(nothing.volumeDifference).toBeNull();
    const invented = new Confusion(2).add(bytes(1, 0), bytes(0, 0)).scores(1);
    expect(invented).toMatchObject({
      dice: 0,
      jaccard: 0,
      precision: 0,
      recall: null,
      volumeDifference: null,
    });
    const missed = new Confusion(2).add(bytes(0, 0), bytes(1, 1)).scores(1);
    expect(missed).toMatchObject({
      dice: 0,
      precision: null,
      recall: 0,
      specificity: null,
      volumeDifference: -100,
    });
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
  expect(result.classes[2]).toMatchObject({
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

it('evaluation sums up surfaces and lesions, and tells cases where a class is on one side only', () => {
  const grid = { shape: [1, 1, 4] as const, affine: [2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1] };
  const settings = { tolerance: [1, 2], lesion: 2 };
  const compare = (prediction: Uint8Array, truth: Uint8Array) =>
    compareCase(truth, prediction, grid, 3, settings);
  const cases = [
    { id: 'a', ...compare(bytes(2, 0, 1, 1), bytes(0, 2, 1, 1)) },
    { id: 'b', ...compare(bytes(2, 0, 0, 0), bytes(0, 0, 0, 1)) },
    { id: 'c', ...compare(bytes(0, 0, 0, 2), bytes(0, 2, 0, 2)) },
  ];
  const { classes, lesions, cases: scored } = evaluation(cases, names, 2);
  expect(scored[0].classes.liver).toMatchObject({ hausdorff: 0, surfaceDice: 1 });
  // 2 mm apart along the width, which is the tolerance.
  expect(scored[0].classes.tumour).toMatchObject({ hausdorff: 2, surfaceDice: 1 });
  expect(scored[1].classes.tumour).toMatchObject({ hausdorff: null, surfaceDice: 0 });
  expect(scored[2].classes.liver).toMatchObject({ hausdorff: null, surfaceDice: null });
  expect(classes[1]).toMatchObject({ casesMissed: 1, casesInvented: 0, casesScored: 2 });
  expect(classes[2]).toMatchObject({ casesMissed: 0, casesInvented: 1, casesScored: 3 });
  expect(classes[1].scores.hausdorff).toMatchObject({ cases: 1, mean: 0 });
  expect(classes[0].scores.hausdorff).toBeUndefined();
  expect(scored.map((one) => one.lesions?.falsePositives)).toEqual([1, 1, 0]);
  expect(lesions).toMatchObject({
    name: 'tumour',
    trueLesions: 3,
    found: 1,
    recall: 1 / 3,
    falsePositivesPerCase: 2 / 3,
  });
});

it('summaryOf gives mean, deviation, median and range', () => {
  expect(summaryOf([4, 1, 1, 2])).toEqual({
    cases: 4,
    mean: 2,
    deviation: Math.sqrt(6 / 4),
    median: 1.5,
    least: 1,
    most: 4,
  });
  expect(summaryOf([3, 1, 2]).median).toBe(2);
  expect(summaryOf([])).toEqual({
    cases: 0,
    mean: null,
    deviation: null,
    median: null,
    least: null,
    most: null,
  });
});
