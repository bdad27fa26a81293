import { expect, it } from 'vitest';
import type { StepEvent } from '../../train/index.ts';
import { stepFacts } from './train.ts';

const step = (dice: Readonly<Record<string, number | null>>) =>
  stepFacts({ loss: 0.5, dice, secondsPerStep: 2 } as StepEvent);

it('a step tells how long a device waited for the host', () => {
  const event = { loss: 0.5, dice: {}, secondsPerStep: 2, seconds: 4 } as StepEvent;
  expect(stepFacts(event)).toEqual(['loss 0.5000', '2.00 s/step']);
  expect(stepFacts({ ...event, deviceSeconds: 1 })[2]).toBe('device idle 75 %');
});

it('a step tells the Dice of few classes, and of many their mean and the worst', () => {
  expect(step({ liver: 0.5, tumour: null })).toEqual(['loss 0.5000', 'Dice liver 0.50', '2.00 s/step']);
  expect(step({ liver: null })).toEqual(['loss 0.5000', '2.00 s/step']);
  const many = Object.fromEntries(
    Array.from({ length: 118 }, (_, n) => [`part ${n}`, n < 18 ? null : n / 200]),
  );
  expect(step(many)[1]).toBe(
    'Dice mean 0.34 of 100 classes (worst part 18 0.09, part 19 0.10, part 20 0.10)',
  );
});
