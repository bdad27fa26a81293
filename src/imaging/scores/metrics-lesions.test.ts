import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countLesions, lesionScores, sumLesions } from './metrics-lesions.ts';

/** One row of voxels, lesions `1`. */
function counts(truth: string, prediction: string, iou?: number) {
  const row = (text: string) => Uint8Array.from(text.replaceAll('.', '0'), Number);
  return countLesions(row(truth), row(prediction), [1, 1, truth.length], { label: 1, iou });
}

describe('countLesions', () => {
  it('finds a lesion that shares a voxel, and counts what meets none as false', () => {
    expect(counts('11..11..1', '.1.....11')).toEqual({
      trueLesions: 3,
      found: 2,
      predictedLesions: 2,
      matched: 2,
    });
    expect(counts('11..11..1', '..11..1..')).toMatchObject({ found: 0, predictedLesions: 2, matched: 0 });
    // One prediction over two lesions finds both; two predictions in one lesion are both right.
    expect(counts('11.11.', '.111..')).toEqual({ trueLesions: 2, found: 2, predictedLesions: 1, matched: 1 });
    expect(counts('11111.', '1.1.1.')).toEqual({ trueLesions: 1, found: 1, predictedLesions: 3, matched: 3 });
  });

  it('asks for a least overlap where it is told to', () => {
    // 2 of 4 voxels are shared.
    expect(counts('111...', '.111..', 0.5)).toMatchObject({ found: 1, matched: 1 });
    expect(counts('111...', '.111..', 0.51)).toMatchObject({ found: 0, matched: 0 });
    expect(() => counts('1', '1', 2)).toThrow('iou: expected a share from 0 to 1, found 2');
  });

  it('matches a lesion map with itself, and nothing with nothing', () => {
    const map = fc.array(fc.nat(1), { minLength: 60, maxLength: 60 }).map((bits) => Uint8Array.from(bits));
    fc.assert(
      fc.property(map, map, (a, b) => {
        const same = countLesions(a, a, [3, 4, 5], { label: 1, iou: 1 });
        expect([same.found, same.matched]).toEqual([same.trueLesions, same.predictedLesions]);
        const there = countLesions(a, b, [3, 4, 5], { label: 1 });
        const back = countLesions(b, a, [3, 4, 5], { label: 1 });
        expect([there.found, there.matched]).toEqual([back.matched, back.found]);
      }),
    );
  });
});

describe('lesionScores', () => {
  it('gives recall, precision and F1 of sums', () => {
    const total = sumLesions([counts('11..11..1', '.1....11.'), counts('.........', '1........')]);
    expect(lesionScores(total)).toEqual({
      trueLesions: 3,
      found: 1,
      predictedLesions: 3,
      matched: 1,
      recall: 1 / 3,
      precision: 1 / 3,
      f1: 1 / 3,
      falsePositives: 2,
    });
  });

  it('defines cases without lesions: nothing is null, false positives count, nothing found is 0', () => {
    expect(lesionScores(counts('...', '...'))).toMatchObject({
      recall: null,
      precision: null,
      f1: null,
      falsePositives: 0,
    });
    expect(lesionScores(counts('...', '1.1'))).toMatchObject({
      recall: null,
      precision: 0,
      f1: 0,
      falsePositives: 2,
    });
    expect(lesionScores(counts('1.1', '...'))).toMatchObject({
      recall: 0,
      precision: null,
      f1: 0,
      falsePositives: 0,
    });
    expect(lesionScores(counts('1..', '..1'))).toMatchObject({
      recall: 0,
      precision: 0,
      f1: 0,
      falsePositives: 1,
    });
  });
});
