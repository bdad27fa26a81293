import { expect, it } from 'vitest';
import type { Shape3 } from '../../imaging/index.ts';
import { resolveConfig } from '../config/config.ts';
import { forecast } from './forecast.ts';

const volume: Shape3 = [96, 96, 96];
const config = (more: object = {}) =>
  resolveConfig({
    ...{
      data: 'data',
      out: 'out',
      base: 8,
      levels: 3,
      patch: [32, 32, 32],
      validation: ['a'],
      norm: 'batch',
    },
    ...more,
  });

it('plans statistics and validation, which see whole volumes where a step sees a patch', () => {
  const { whole, report } = forecast(config(), volume, 3);
  expect(whole!.map(({ what }) => what)).toEqual([
    'measuring statistics on volumes of 96 x 96 x 96 voxels',
    'validation on volumes of 96 x 96 x 96 voxels',
  ]);
  for (const { predictedPeakBytes } of whole!)
    expect(predictedPeakBytes).toBeGreaterThan(report.predictedPeakBytes);
  const plain = forecast(config({ patch: undefined }), volume, 3);
  expect(plain.whole).toBeUndefined();
  const kept = forecast(config({ norm: 'instance', validation: undefined }), volume, 3);
  expect(kept.whole).toBeUndefined();
});

it('plans validation on a held-out case that is larger than all that are trained on', () => {
  const options = { training: [volume], validation: [volume, [128, 96, 96] as const] };
  const { whole } = forecast(config({ patch: undefined, batch: 1 }), [64, 96, 96], 3, options);
  expect(whole!.at(-1)!.what).toBe('validation on volumes of 128 x 96 x 96 voxels');
});

it('cuts into parts what does not fit a memory limit, though a step does, and refuses what never fits', () => {
  const { whole, report } = forecast(config(), volume, 3);
  const [least, most] = [report.predictedPeakBytes, whole![1].predictedPeakBytes];
  const memoryLimit = Math.round(least + 0.6 * (most - least));
  const limited = forecast(config({ memoryLimit }), volume, 3);
  for (const { predictedPeakBytes } of limited.whole!)
    expect(predictedPeakBytes).toBeLessThanOrEqual(memoryLimit);
  // A mesh that is given stays.
  const [large, stored, split] = [[192, 192, 192], { stored: true }, { depth: 2 }] as const;
  const enough = forecast(config({ split }), large, 3, stored).report.predictedPeakBytes + 2 ** 20;
  expect(() => forecast(config({ split, memoryLimit: enough }), large, 3, stored)).toThrow(
    /memory limit: measuring statistics on volumes of 192 x 192 x 192 voxels does not fit; expected at least/,
  );
});
