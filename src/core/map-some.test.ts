import { describe, expect, it } from 'vitest';
import { mapSome } from './map-some.ts';

describe('mapSome', () => {
  it('keeps the order of the items and has at most 16 of them at work', async () => {
    const items = Array.from({ length: 100 }, (_, n) => n);
    let now = 0;
    let most = 0;
    const results = await mapSome(items, async (item, index) => {
      expect(index).toBe(item);
      most = Math.max(most, ++now);
      // Later items end sooner.
      for (let turn = item % 7; turn < 7; turn++) await undefined;
      now--;
      return 2 * item;
    });
    expect(results).toEqual(items.map((item) => 2 * item));
    expect(most).toBe(16);
    expect(await mapSome([], async () => 1)).toEqual([]);
  });

  it('throws a failure when nothing that it began is at work any more, and begins nothing after it', async () => {
    let [begun, ended] = [0, 0];
    const work = mapSome([...Array(100).keys()], async (item) => {
      begun++;
      if (item === 3) throw new Error('item 3');
      for (let turn = 0; turn < 20; turn++) await undefined;
      ended++;
    });
    await expect(work).rejects.toThrow('item 3');
    expect(begun).toBe(16);
    expect(ended).toBe(15);
  });
});
