import { expect, it } from 'vitest';
import { HOU2019_SCHEDULE, learningRateAt } from './schedules.ts';

it('follows the published schedule', () => {
  expect([0, 19999, 20000, 45000].map((step) => learningRateAt(HOU2019_SCHEDULE, step))).toEqual([
    0.003,
    0.003,
    0.003 * 0.3,
    0.003 * 0.3 ** 2,
  ]);
});

it('warms up, follows half a cosine and stays at the floor', () => {
  const cosine = { kind: 'cosine', rate: 1, steps: 110, warmup: 10, floor: 0.1 } as const;
  expect(learningRateAt(cosine, 0)).toBeCloseTo(0.1);
  expect(learningRateAt(cosine, 10)).toBeCloseTo(1);
  expect(learningRateAt(cosine, 60)).toBeCloseTo(0.55);
  expect(learningRateAt(cosine, 500)).toBeCloseTo(0.1);
});

it('decays by a power, and refuses an impossible length', () => {
  expect(learningRateAt({ kind: 'poly', rate: 0.01, steps: 1000 }, 500)).toBeCloseTo(0.01 * 0.5 ** 0.9);
  expect(learningRateAt({ kind: 'poly', rate: 0.01, steps: 1000 }, 2000)).toBe(0);
  expect(learningRateAt({ kind: 'constant', rate: 0.2 }, 7)).toBe(0.2);
  expect(() => learningRateAt({ kind: 'poly', rate: 1, steps: 0 }, 0)).toThrow(
    'steps; expected a number above 0, found 0',
  );
});
