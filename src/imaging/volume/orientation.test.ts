import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Affine, applyAffine } from './affine.ts';
import { fromCanonical, orientationCode, orientationOf, toCanonical } from './orientation.ts';
import { makeVolume, spacingOf, type Volume } from './volume.ts';

const orders = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];
const all = orders.flatMap((order) => [0, 1, 2, 3, 4, 5, 6, 7].map((signs) => ({ order, signs })));

/** A volume whose index axis n runs along anatomical axis order[n], with every voxel different. */
function stored(order: readonly number[], signs: number, tilt = 0): Volume<Int16Array> {
  const affine = new Array<number>(16).fill(0);
  const mm = [0.7, 1.5, 3];
  order.forEach((anatomical, n) => {
    affine[anatomical * 4 + n] = mm[n] * (signs & (1 << n) ? -1 : 1);
    affine[((anatomical + 1) % 3) * 4 + n] = tilt * mm[n];
  });
  [affine[3], affine[7], affine[11], affine[15]] = [-11, 7, 100, 1];
  return makeVolume(
    Int16Array.from({ length: 24 }, (_, n) => n),
    [4, 3, 2],
    affine,
  );
}

/** Each voxel's value and place, in an order that does not depend on how it is stored. */
function places(volume: Volume): string[] {
  const [, height, width] = volume.shape;
  return [...volume.data]
    .map((value, n) => {
      const index = [n % width, Math.floor(n / width) % height, Math.floor(n / (width * height))] as const;
      return `${value} at ${applyAffine(volume.affine, index).map((mm) => mm.toFixed(6).replace('-0.000000', '0.000000'))}`;
    })
    .sort();
}

describe('all 48 axis orders', () => {
  it.each(all)('$order, signs $signs', ({ order, signs }) => {
    for (const tilt of [0, 0.3]) {
      const volume = stored(order, signs, tilt);
      const { volume: canonical, orientation } = toCanonical(volume);
      expect(orientationCode(canonical.affine)).toBe('RAS');
      expect(places(canonical)).toEqual(places(volume));
      const back = fromCanonical(canonical, orientation);
      expect(back.data).toEqual(volume.data);
      expect(back.shape).toEqual(volume.shape);
      back.affine.forEach((value, n) => {
        expect(value).toBeCloseTo(volume.affine[n], 9);
      });
      expect([...spacingOf(canonical)].sort()).toEqual([...spacingOf(volume)].sort());
    }
  });
});

it('names orientations as radiology does', () => {
  const affine: Affine = [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
  expect(orientationCode(affine)).toBe('LPS');
  expect(orientationCode([0, 0, -2, 0, 1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 1])).toBe('AIL');
});

it('shares the data of a volume that is canonical already', () => {
  const volume = stored([0, 1, 2], 0);
  expect(toCanonical(volume).volume).toBe(volume);
});

it('gives every affine three different axes, so that it is always reversible', () => {
  const number = fc.double({ min: -5, max: 5, noNaN: true });
  fc.assert(
    fc.property(fc.array(number, { minLength: 12, maxLength: 12 }), (rows) => {
      const { axes } = orientationOf([...rows, 0, 0, 0, 1]);
      expect([...axes].sort()).toEqual([0, 1, 2]);
    }),
  );
});

it('reorders volumes larger than its blocks', () => {
  const shape = [37, 41, 70] as const;
  const data = Int32Array.from({ length: 37 * 41 * 70 }, (_, n) => n);
  for (const affine of [
    [0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1],
    [0, -1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    [0, 0, -1, 0, 0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 0, 1],
  ]) {
    const { volume, orientation } = toCanonical(makeVolume(data, shape, affine));
    const [k, j, i] = [5, 3, 8];
    const at = volume.data[(k * volume.shape[1] + j) * volume.shape[2] + i];
    const old = [at % 70, Math.floor(at / 70) % 41, Math.floor(at / (70 * 41))] as const;
    expect(applyAffine(affine, old)).toEqual(applyAffine(volume.affine, [i, j, k]));
    expect(fromCanonical(volume, orientation).data.every((value, n) => value === n)).toBe(true);
  }
});
