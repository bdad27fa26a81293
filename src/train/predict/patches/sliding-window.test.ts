import { expect, it } from 'vitest';
import { gaussianWeights, windowStarts, windowsOver } from './sliding-window.ts';

it('windows stand as far from each other as can be, half of one at most', () => {
  expect(windowStarts(110, 64, 0.5)).toEqual([0, 23, 46]);
  expect(windowStarts(64, 64, 0.5)).toEqual([0]);
  expect(windowStarts(65, 64, 0.5)).toEqual([0, 1]);
  // 2.5 and 7.5 go to the even number.
  expect(windowStarts(20, 10, 0.25)).toEqual([0, 2, 5, 8, 10]);
  expect(windowsOver([4, 6, 4], [4, 4, 4], 0.5)).toEqual([
    [0, 0, 0],
    [0, 2, 0],
  ]);
});

it('voxels weigh by a Gaussian in half precision, none of them nothing', () => {
  const weights = gaussianWeights([1, 1, 8]);
  expect([...weights.slice(3)]).toEqual([6.06640625, 10, 6.06640625, 1.353515625, 0.111083984375]);
  const cube = gaussianWeights([32, 32, 32]);
  expect(cube[(16 * 32 + 16) * 32 + 16]).toBe(10);
  // exp(-24) has no number of its own.
  expect(cube[0]).toBe(2 ** -24);
});
