import { expect, it } from 'vitest';
import { givenConfig } from './given.ts';

it('refuses a window beside a normalisation that no channel of is in it', () => {
  const window = { lower: -160, upper: 240 };
  const given = (normalization?: unknown) => () => {
    const flags = { data: 'ct', window, normalization };
    return givenConfig(flags);
  };
  expect(given('zscore')).toThrow('--window: expected a channel that is normalised in it');
  expect(given(['zscore', 'none'])).toThrow('expected --normalization ct, found zscore,none');
  for (const fits of [undefined, 'auto', 'ct', ['zscore', 'ct']])
    expect(given(fits)().given).toMatchObject({ window });
});
