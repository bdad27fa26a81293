import { describe, expect, it } from 'vitest';
import { stained } from '../../../test/stained.ts';
import { GlassLeftOut } from '../volume/colours/glass.ts';
import { IGNORED } from '../volume/label-codes.ts';
import { MemorySource } from '../volume/memory-source.ts';
import { type VoxelBox, wholeBox } from '../volume/voxel-source.ts';
import { pathologyAugmentation } from './augment.ts';
import { augmentChannels } from './augment-colours.ts';
import { changeStain, drawStain, STAINS } from './augment-stain.ts';

const shape = [1, 20, 24] as const;
const light = { least: 0, most: 1, unit: 1, outside: 1 };
const ranges = [light, light, light];

function source() {
  const { channels, labels } = stained(3, [shape[1], shape[2]]);
  const image = Float32Array.from(channels.flatMap((values) => [...values].map((value) => value / 255)));
  return new MemorySource({ id: 'a', shape, image, labels, ranges });
}

const key = (step: number) => ({ seed: 5, caseIndex: 0, step });
const all = { start: 0, end: 3 };

describe('stains', () => {
  it('become stronger each for itself', () => {
    const always = { stain: { probability: 1, scale: 0.5, shift: 0 } };
    const change = drawStain(always, key(1))!;
    expect(change.offset).toEqual([0, 0, 0]);
    for (const vector of STAINS) {
      const length = Math.hypot(...vector);
      const picture = vector.map((density) => Float32Array.of(Math.exp(-density / length)));
      changeStain(picture, ranges, change);
      const densities = picture.map(([value], colour) => -Math.log(value) / (vector[colour] / length));
      // One stain alone stays of its colours.
      for (const factor of densities) expect(factor).toBeCloseTo(densities[0], 5);
      expect(Math.abs(densities[0] - 1)).toBeLessThanOrEqual(0.5);
      expect(Math.abs(densities[0] - 1)).toBeGreaterThan(0.001);
    }
  });

  it('leave full light as it is, and stay within the range of the channels', () => {
    const change = drawStain({ stain: { probability: 1, scale: 0.9, shift: 0 } }, key(2))!;
    const white = [1, 1, 1].map((value) => Float32Array.of(value));
    changeStain(white, ranges, change);
    expect(white.map(([value]) => value)).toEqual([1, 1, 1]);
    const clipped = { least: -2, most: 3, unit: 5, outside: -2 };
    const dark = [-2, -2.5, 3.5].map((value) => Float32Array.of(value));
    changeStain(dark, [clipped, clipped, clipped], change);
    for (const [value] of dark) expect(value).toBeGreaterThanOrEqual(-2);
    for (const [value] of dark) expect(value).toBeLessThanOrEqual(3);
  });

  it('are drawn anew for each sample, or not at all', () => {
    expect(drawStain({}, key(1))).toBeUndefined();
    const config = { stain: { probability: 1, scale: 0.2, shift: 0.1 } };
    expect(drawStain(config, key(1))).toEqual(drawStain(config, key(1)));
    expect(drawStain(config, key(1))).not.toEqual(drawStain(config, key(2)));
  });
});

it('pictures of changed stains, turned and mirrored in plane have, box by box and colour by colour, the bits of the whole', async () => {
  let changed = 0;
  for (let step = 0; step < 6; step++) {
    const whole = await augmentChannels(source(), pathologyAugmentation, key(step), wholeBox(shape), all);
    const original = source().whole.image;
    if (whole.images[0].some((value, n) => value !== original[n])) changed++;
    for (const start of [0, 7, 13]) {
      const box: VoxelBox = { start: [0, start, 3], end: [1, start + 7, 21] };
      const only = { start: 1, end: 3 };
      const part = await augmentChannels(source(), pathologyAugmentation, key(step), box, only);
      for (const [n, image] of part.images.entries()) {
        const expected = [];
        for (let j = start; j < start + 7; j++)
          expected.push(...whole.images[n + 1].subarray(j * shape[2] + 3, j * shape[2] + 21));
        expect([...image]).toEqual(expected);
      }
    }
    // Nothing moves out of the plane: tissue is still there.
    expect(whole.labels!.some((label) => label === 1)).toBe(true);
  }
  expect(changed).toBeGreaterThan(2);
});

it('glass is left out wherever its box is read', async () => {
  const { channels, labels } = stained(3, [shape[1], shape[2]]);
  const left = new GlassLeftOut(source());
  const box: VoxelBox = { start: [0, 2, 1], end: [1, 9, 23] };
  const found = await left.labels(box);
  let n = 0;
  for (let j = 2; j < 9; j++)
    for (let i = 1; i < 23; i++, n++) {
      const at = j * shape[2] + i;
      const glass = channels.every((values) => values[at] >= 220);
      expect(found[n]).toBe(glass ? IGNORED : labels[at]);
    }
  expect(found).toContain(IGNORED);
});
