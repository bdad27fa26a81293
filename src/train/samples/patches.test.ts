import { describe, expect, it } from 'vitest';
import { augment } from '../../../test/imaging/augment-fixture.ts';
import { boxShape, MemorySource, type Shape3, strongAugmentation, wholeBox } from '../../imaging/index.ts';
import { sampleBox, sampleShape } from './patches.ts';
import { augmentedFeeds } from './sample-feeds.ts';

const volume: Shape3 = [7, 9, 8];

describe('the part of a volume that a step takes', () => {
  it('is all of it without a patch', () => {
    expect(sampleShape(volume)).toEqual(volume);
    expect(sampleBox(volume, undefined, 0, 5)).toEqual(wholeBox(volume));
  });

  it('is a patch that ends where the volume does', () => {
    expect(sampleShape(volume, [3, 20, 8])).toEqual([3, 9, 8]);
    expect(boxShape(sampleBox(volume, [3, 20, 8], 0, 5))).toEqual([3, 9, 8]);
  });

  it('lies at every place as often, by seed and number of the sample alone', () => {
    const places = new Map<string, number>();
    for (let sample = 0; sample < 600; sample++) {
      const box = sampleBox(volume, [6, 8, 6], 1, sample);
      expect(boxShape(box)).toEqual([6, 8, 6]);
      expect(sampleBox(volume, [6, 8, 6], 1, sample)).toEqual(box);
      places.set(String(box.start), (places.get(String(box.start)) ?? 0) + 1);
    }
    // 2 x 2 x 3 places, 50 times each; the deviation is below 7.
    expect(places.size).toBe(12);
    for (const times of places.values()) expect(Math.abs(times - 50)).toBeLessThan(25);
    expect(places.has('1,1,2')).toBe(true);
  });

  it('is cut out of the changed volume, not changed by itself', async () => {
    const voxels = 7 * 9 * 8;
    const image = Float32Array.from({ length: voxels }, (_, n) => ((n * 37) % 101) / 101);
    const labels = Uint8Array.from({ length: voxels }, (_, n) => (n % 5 === 0 ? 1 : 0));
    const key = { seed: 3, caseIndex: 1, step: 4 };
    const whole = await augment({ image, labels, shape: volume }, strongAugmentation, key);
    const source = new MemorySource({ id: 'a', image, labels, shape: volume });
    const { start } = sampleBox(volume, [4, 5, 3], 3, 4);
    const feeds = augmentedFeeds(
      [{ source: async () => source, key, start, where: 'a step' }],
      strongAugmentation,
    );
    const changed = new MemorySource({ id: 'b', shape: volume, image: whole.image, labels: whole.labels });
    const expected = { start, end: [start[0] + 4, start[1] + 5, start[2] + 3] } as const;
    const asked = [1, 4, 5, 3, 1].map((end) => ({ start: 0, end }));
    const read = (feed: unknown) => (feed as { read: (box: typeof asked) => Promise<unknown> }).read(asked);
    expect(whole.image).not.toEqual(image);
    expect(await read(feeds.image)).toEqual(await changed.image(expected));
    expect(await read(feeds.labels)).toEqual(await changed.labels(expected));
  });
});
