import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { preprocess } from '../../imaging/index.ts';
import { boundaryRuns } from './boundary.testing.ts';

const { folder, data, config, losses } = boundaryRuns();

describe('a training with the boundary loss', () => {
  it('has the same losses on any mesh, from scans or a store, whole or in patches', async () => {
    const one = await losses(config());
    expect(new Set(one).size).toBe(2);
    expect(await losses(config({ split: { depth: 2, height: 2 } }))).toEqual(one);
    const store = path.join(folder, 'store');
    await preprocess({ data, out: store, window: config().window });
    expect(await losses(config({ data: store, split: { width: 3 } }))).toEqual(one);
    const patch = await losses(config({ patch: [8, 8, 8] }));
    expect(patch).not.toEqual(one);
    expect(await losses(config({ patch: [8, 8, 8], split: { width: 2 } }))).toEqual(patch);
  });

  it('takes several cases in a step, deep supervision and batches that gather', async () => {
    const settings = { batch: 2, deepSupervision: true, accumulate: 2, steps: 2, augmentation: 'strong' };
    const one = await losses(config({ ...settings, levels: 3 }));
    expect(one.every(Number.isFinite)).toBe(true);
    expect(await losses(config({ ...settings, levels: 3, split: { batch: 2, depth: 2 } }))).toEqual(one);
  });
});
