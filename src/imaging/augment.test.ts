import { describe, expect, it } from 'vitest';
import {
  type AugmentConfig,
  augment,
  mildAugmentation,
  noAugmentation,
  paperAugmentation,
} from './augment.ts';
import { type Flips, flipAxes, sampleAffine } from './augment-space.ts';
import { fillNormal, RandomStream, randomKey, uniformAt } from './random.ts';
import { type Shape3, voxelCount } from './volume.ts';

const shape: Shape3 = [5, 6, 7];
const sample = {
  image: Float32Array.from({ length: voxelCount(shape) }, (_, n) => n / 300),
  labels: Uint8Array.from({ length: voxelCount(shape) }, (_, n) => n % 3),
  shape,
};
const key = (step: number) => ({ seed: 1, caseIndex: 2, step });
const everything: AugmentConfig = {
  flip: [1, 0, 0],
  rotate180: 1,
  affine: { probability: 1, transformRatio: 0.1, translateRatio: 0.05 },
  noise: { probability: 1, ratio: 0.1 },
  intensity: { probability: 1, scale: 0.2, shift: 0.1 },
};

describe('augment', () => {
  it('gives the same for the same key, another for another, and leaves its input alone', () => {
    const before = sample.image.slice();
    for (const config of [everything, paperAugmentation]) {
      expect(augment(sample, config, key(3))).toEqual(augment(sample, config, key(3)));
    }
    const results = [key(3), key(4), { ...key(3), seed: 9 }, { ...key(3), caseIndex: 0 }].map((k) =>
      augment(sample, everything, k).image.join(),
    );
    expect(new Set(results).size).toBe(4);
    expect(sample.image).toEqual(before);
  });

  it('keeps shape, range and classes', () => {
    for (let step = 0; step < 30; step++) {
      const out = augment(sample, everything, key(step));
      expect(out.shape).toEqual(shape);
      expect(out.image.every((value) => value >= 0 && value <= 1)).toBe(true);
      expect(out.labels?.every((label) => label < 3)).toBe(true);
    }
    expect(augment({ image: sample.image, shape }, everything, key(0)).labels).toBeUndefined();
  });

  it('writes into given arrays what it would write into new ones, whatever they hold', () => {
    for (let step = 0; step < 40; step++) {
      const into = { image: new Float32Array(210).fill(7), labels: new Uint8Array(210).fill(7) };
      const out = augment(sample, paperAugmentation, key(step), into);
      expect(out).toEqual(augment(sample, paperAugmentation, key(step)));
      expect([into.image, sample.image]).toContain(out.image);
      expect([into.labels, sample.labels]).toContain(out.labels);
    }
  });

  it('without any change returns the arrays as they are', () => {
    const out = augment(sample, noAugmentation, key(0));
    expect(out.image).toBe(sample.image);
    expect(out.labels).toBe(sample.labels);
  });

  it.each<[string, Partial<AugmentConfig>, (k: number, j: number, i: number) => [number, number, number]]>([
    ['depth', { flip: [1, 0, 0] }, (k, j, i) => [4 - k, j, i]],
    ['height', { flip: [0, 1, 0] }, (k, j, i) => [k, 5 - j, i]],
    ['width', { flip: [0, 0, 1] }, (k, j, i) => [k, j, 6 - i]],
    ['all by rotation and depth', { flip: [1, 0, 0], rotate180: 1 }, (k, j, i) => [4 - k, 5 - j, 6 - i]],
    ['none: rotation and flips cancel', { flip: [0, 1, 1], rotate180: 1 }, (k, j, i) => [k, j, i]],
  ])('flips image and labels together: %s', (_, change, from) => {
    const out = augment(sample, { ...noAugmentation, ...change }, key(0));
    for (let n = 0; n < out.image.length; n++) {
      const [k, j, i] = from(Math.floor(n / 42), Math.floor(n / 7) % 6, n % 7);
      const source = (k * 6 + j) * 7 + i;
      expect(out.image[n]).toBe(sample.image[source]);
      expect(out.labels?.[n]).toBe(sample.labels[source]);
    }
  });

  it('takes each change about as often as its probability says', () => {
    let flipped = 0;
    const config = { ...noAugmentation, flip: [0.5, 0, 0] as const };
    for (let step = 0; step < 400; step++)
      flipped += augment(sample, config, key(step)).image === sample.image ? 0 : 1;
    expect(flipped).toBeGreaterThan(160);
    expect(flipped).toBeLessThan(240);
  });

  it('takes less than 0.3 s for 120^3, with room for slow machines', () => {
    const large: Shape3 = [120, 120, 120];
    const image = new Float32Array(voxelCount(large)).fill(0.5);
    const big = { image, labels: new Uint8Array(image.length), shape: large };
    augment(big, { ...everything }, key(0));
    const start = performance.now();
    augment(big, mildAugmentation, key(1));
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('sampleAffine', () => {
  const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const upright: Flips = [false, false, false];
  const linear = (offset: readonly number[]) =>
    sampleAffine(sample.image, shape, { matrix: identity, offset }, upright, sample.image.slice());

  it('is exact for shifts by whole voxels, with 0 from outside, into arrays that held something', () => {
    const map = { matrix: identity, offset: [1, -2, 3] };
    const labels = sampleAffine(sample.labels, shape, map, upright, sample.labels.slice().fill(9));
    for (const [out, from] of [
      [linear(map.offset), sample.image],
      [labels, sample.labels],
    ]) {
      for (let n = 0; n < out.length; n++) {
        const [k, j, i] = [Math.floor(n / 42) + 1, (Math.floor(n / 7) % 6) - 2, (n % 7) + 3];
        expect(out[n]).toBe(k > 4 || j < 0 || i > 6 ? 0 : from[(k * 6 + j) * 7 + i]);
      }
    }
  });

  it('interpolates between voxels, also at the border', () => {
    const out = sampleAffine(
      Float32Array.from([4, 8]),
      [1, 1, 2],
      { matrix: identity, offset: [0, 0, -0.25] },
      upright,
      new Float32Array(2),
    );
    expect([...out]).toEqual([3, 7]);
    expect(linear([0.5, 0.25, 0.75])[0]).toBeCloseTo((0.5 * 42 + 0.25 * 7 + 0.75) / 300, 6);
  });

  it('flips on the way as flipAxes does before', () => {
    const map = { matrix: [0.9, 0.1, 0, -0.1, 1.1, 0.2, 0.05, 0, 0.95], offset: [0.3, -0.6, 0.2] };
    for (let n = 0; n < 8; n++) {
      const flips: Flips = [(n & 1) > 0, (n & 2) > 0, (n & 4) > 0];
      for (const data of [sample.image, sample.labels]) {
        const flipped = flipAxes(data, shape, flips, data.slice());
        const slow = sampleAffine(flipped, shape, map, upright, data.slice());
        expect(sampleAffine(data, shape, map, flips, data.slice())).toEqual(slow);
      }
    }
  });
});

describe('random numbers', () => {
  it('are uniform and normal, and depend on every part of the key', () => {
    const n = 20_000;
    const noise = new Float32Array(n);
    fillNormal(noise, randomKey(1, 2), 3);
    const mean = noise.reduce((sum, value) => sum + value, 0) / n;
    const deviation = Math.sqrt(noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(Math.abs(deviation - 3)).toBeLessThan(0.1);
    const counts = new Array(10).fill(0);
    for (let at = 0; at < n; at++) counts[Math.floor(10 * uniformAt(5, at))]++;
    expect(Math.min(...counts)).toBeGreaterThan(1800);
    const keys = [[0], [0, 0], [1, 0], [0, 1], [-1], [2 ** 32]].map((parts) => randomKey(...parts));
    expect(new Set(keys).size).toBe(6);
  });

  it('are the same wherever a part of the sequence begins', () => {
    const whole = new Float32Array(101);
    fillNormal(whole, 7, 2);
    const part = new Float32Array(31);
    fillNormal(part, 7, 2, 70);
    expect(part).toEqual(whole.subarray(70));
  });

  it('stay within 2 deviations where they are truncated', () => {
    const random = new RandomStream(4);
    for (let n = 0; n < 1000; n++) expect(Math.abs(random.truncatedNormal())).toBeLessThanOrEqual(2);
  });
});
