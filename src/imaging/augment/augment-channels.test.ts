import { describe, expect, it } from 'vitest';
import { augment, changes, everything, makeSample } from '../../../test/imaging/augment-fixture.ts';
import { MemorySource } from '../volume/memory-source.ts';
import { type IntensityRange, windowRange } from '../volume/normalization.ts';
import { type Shape3, voxelCount } from '../volume/volume.ts';
import { type AugmentConfig, augmentBox } from './augment.ts';

const shape: Shape3 = [11, 7, 9];
const voxels = voxelCount(shape);
const first = makeSample(shape);
const key = { seed: 1, caseIndex: 2, step: 3 };

/** A second channel of z-scores: the first one, turned around and spread. */
const range: IntensityRange = { least: -2, most: 3, unit: 4, outside: -2 };
const second = first.image.map((value) => 3 - 5 * Math.min(1, value));
const image = new Float32Array(2 * voxels);
image.set(first.image);
image.set(second, voxels);
const source = new MemorySource({ ...first, id: 'a', image, ranges: [windowRange, range] });

const changed = (config: AugmentConfig, channel: number) =>
  augmentBox(source, config, key, undefined, { channel });

describe('channels of a sample', () => {
  it('move alike, and the first is changed as one that is alone', async () => {
    for (const config of [...Object.values(changes), everything]) {
      const alone = await augment(first, config, key);
      const [one, two] = [await changed(config, 0), await changed(config, 1)];
      expect(one.image).toEqual(alone.image);
      expect([one.labels, two.labels]).toEqual([alone.labels, alone.labels]);
    }
    const { affine, elastic, flip } = everything;
    const space = { affine, elastic, flip };
    const [one, two] = [await changed(space, 0), await changed(space, 1)];
    // The same voxels come to the same places: what the second channel was made of the first holds still, where nothing moved in.
    const differing = one.image.filter(
      (value, n) => value > 0.1 && Math.abs(two.image[n] - (3 - 5 * value)) > 1e-4,
    );
    expect(differing.length).toBeLessThan(0.4 * voxels);
    expect(two.image.some((value) => value === range.outside)).toBe(true);
  });

  it('change their intensities by draws of their own, within their range', async () => {
    for (const name of ['gamma', 'intensity', 'noise', 'classIntensity', 'corruption'] as const) {
      const config = changes[name];
      const [one, two] = [await changed(config, 0), await changed(config, 1)];
      const back = two.image.map((value) => (3 - value) / 5);
      expect(back).not.toEqual(one.image);
      expect(two.image).not.toEqual(second);
      for (const value of two.image)
        expect([value >= range.least, value <= range.most]).toEqual([true, true]);
    }
  });

  it('have the bits of the whole in every box', async () => {
    const whole = new MemorySource({ id: 'b', shape, image: (await changed(everything, 1)).image });
    for (const [start, end] of [
      [
        [0, 0, 0],
        [5, 7, 9],
      ],
      [
        [5, 2, 3],
        [11, 7, 8],
      ],
    ] as const) {
      const box = { start, end };
      const part = await augmentBox(source, everything, key, box, { channel: 1, most: 60 });
      expect(part.image).toEqual(await whole.image(box));
    }
  });
});
