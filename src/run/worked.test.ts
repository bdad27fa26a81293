import { expect, it } from 'vitest';
import { referenceDevice } from '../machine/index.ts';
import { Worked } from './worked.ts';

it('tells how long the device worked in the last run', async () => {
  let now = 0;
  const mark = () => {
    const at = now;
    return {
      ...{ at, passed: () => true, wait: async () => undefined },
      milliseconds: (since: unknown) => at - (since as { readonly at: number }).at,
    };
  };
  const worked = new Worked({ ...referenceDevice(), mark });
  expect(worked.seconds).toBe(0);
  for (const took of [500, 250]) {
    await worked.during(async () => {
      now += took;
    });
    now += 1000;
    expect(worked.seconds).toBe(took / 1000);
  }
});
