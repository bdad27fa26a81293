import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Shape3 } from '../volume/volume.ts';
import { axisAcross, resampleSpline, type SplineOrder } from './spline.ts';

interface Case {
  readonly shape: Shape3;
  readonly wanted: Shape3;
  readonly from: Shape3;
  readonly to: Shape3;
  readonly order: SplineOrder;
  readonly volume: string;
  readonly expected: string;
}

const file = new URL('../../../test/fixtures/exchange/resampled.json', import.meta.url);
const cases: readonly Case[] = JSON.parse(readFileSync(file, 'utf8'));
const floats = (text: string): Float32Array =>
  new Float32Array(new Uint8Array(Buffer.from(text, 'base64')).buffer);

describe('resampling by splines', () => {
  it.each(cases.map((one) => [`${one.shape} to ${one.wanted} by degree ${one.order}`, one] as const))(
    'of %s gives the numbers of scikit-image and scipy',
    (_, { shape, wanted, from, to, order, volume, expected }) => {
      const found = resampleSpline(floats(volume), shape, wanted, { from, to }, { order, orderAcross: 0 });
      const known = floats(expected);
      expect(found).toHaveLength(known.length);
      for (const [n, value] of found.entries()) expect(Math.abs(value - known[n])).toBeLessThan(2e-6);
    },
  );

  it('takes a volume of the same shape as it is', () => {
    const volume = Float32Array.of(1, 2, 3, 4);
    const mm = { from: [1, 1, 1], to: [2, 2, 2] } as const;
    expect(resampleSpline(volume, [1, 2, 2], [1, 2, 2], mm, { order: 3, orderAcross: 0 })).toBe(volume);
  });

  it('looks for thick slices before and after, and for one axis of them', () => {
    expect(axisAcross([1, 4, 1], [1, 1, 1])).toBe(1);
    expect(axisAcross([1, 1, 1], [1, 1, 4])).toBe(2);
    expect(axisAcross([1, 3, 1], [1, 1, 1])).toBeUndefined();
    expect(axisAcross([1, 4, 4], [1, 1, 1])).toBeUndefined();
    expect(axisAcross([1, 4, 1], [1, 1, 1], false)).toBeUndefined();
    expect(axisAcross([1, 2, 1], [1, 1, 1], true)).toBe(1);
  });
});
