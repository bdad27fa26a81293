import { expect, it } from 'vitest';
import { better } from './best.ts';

it('says of a score that it is over training cases, in a run that goes on from an older one too', () => {
  expect(better(undefined, 'dice', 5, 0.5)).toEqual({ step: 5, by: 'dice', score: 0.5, since: 0 });
  const trained = better(undefined, 'dice', 5, 0.5, true);
  expect(trained).toEqual({ step: 5, by: 'dice', score: 0.5, ofTraining: true, since: 0 });
  const older = { step: 5, by: 'dice', score: 0.5, since: 1 };
  expect(better(older, 'dice', 10, 0.4, true)).toEqual({ ...older, ofTraining: true, since: 2 });
});
