import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyAffine, scalingAffine } from '../volume/affine.ts';
import { makeVolume, type Shape3, spacingOf, type Volume, voxelCount } from '../volume/volume.ts';
import { resampleImage } from './resample.ts';
import { resampleLabels, resampleLabelsTo } from './resample-labels.ts';
import { resampledGrid } from './resample-taps.ts';

const unit = scalingAffine([1, 1, 1]);
const image = (shape: Shape3, at: (k: number, j: number, i: number) => number) => {
  const data = new Float32Array(voxelCount(shape));
  for (let n = 0; n < data.length; n++) {
    data[n] = at(Math.floor(n / (shape[1] * shape[2])), Math.floor(n / shape[2]) % shape[1], n % shape[2]);
  }
  return makeVolume(data, shape, unit);
};
const shape = fc.tuple(
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 1, max: 9 }),
);

describe('resampleImage', () => {
  // torch.nn.functional.interpolate(x, mode='bilinear', antialias=True), PyTorch 2.13, float64
  const source = [3, -1, 4, 1, -5, 9, 2, 6];
  it.each([
    [8, [1.5, 0.9523809523809523, 4.263157894736841]],
    [8, [1.3636363636363638, 2.1481481481481484, -1.2916666666666665, 4.5925925925925934, 4.363636363636363]],
    [7, [1.1627906976744184, 2.302325581395349]],
    [4, [3, 7 / 3, 5 / 9, -13 / 18, 1.5, 3.722222222222221, 17 / 6, 1.5, 1]],
    [8, [2.09375]],
  ])('of the first %i numbers agrees with PyTorch along every axis', (extent, expected) => {
    for (const axis of [0, 1, 2]) {
      const at = (n: number) =>
        [0, 1, 2].map((other) => (other === axis ? n : 2)) as [number, number, number];
      const line = image(at(extent), (...index) => source[index[axis]]);
      const out = resampleImage(line, { shape: at(expected.length) });
      const step = [4, 2, 1][axis];
      expected.forEach((value, n) => {
        expect(out.data[n * step]).toBeCloseTo(value, 5);
      });
    }
  });

  it('keeps constants, the range, and straight lines away from the edges', () => {
    fc.assert(
      fc.property(shape, shape, (from, to) => {
        const ramp = resampleImage(
          image(from, (k, j, i) => 2 * k - j + 3 * i),
          { shape: to },
        );
        const flat = resampleImage(
          image(from, () => 7),
          { shape: to },
        );
        expect(flat.data.every((value) => Math.abs(value - 7) < 1e-5)).toBe(true);
        const limit = 2 * from[0] + from[1] + 3 * from[2];
        expect(ramp.data.every((value) => Math.abs(value) <= limit)).toBe(true);
      }),
    );
    const line = resampleImage(
      image([1, 1, 12], (_k, _j, i) => i),
      { shape: [1, 1, 4] },
    );
    expect(line.data[1]).toBeCloseTo(4, 5);
    expect(line.data[2]).toBeCloseTo(7, 5);
  });

  it('gives the same numbers at the same size', () => {
    const volume = image([3, 4, 5], (k, j, i) => k * 20 + j * 5 + i);
    expect(resampleImage(volume, { shape: [3, 4, 5] }).data).toEqual(volume.data);
  });

  it('keeps the field of view edge to edge', () => {
    fc.assert(
      fc.property(shape, shape, (from, to) => {
        const affine = [0, 0, -3, 5, 0.7, 0, 0, 6, 0, 1.2, 0, 7, 0, 0, 0, 1];
        const grid = resampledGrid({ shape: from, affine }, { shape: to });
        for (const side of [0, 1]) {
          const edge = (s: Shape3) => [side * s[2] - 0.5, side * s[1] - 0.5, side * s[0] - 0.5] as const;
          applyAffine(grid.affine, edge(to)).forEach((mm, n) => {
            expect(mm).toBeCloseTo(applyAffine(affine, edge(from))[n], 9);
          });
        }
      }),
    );
  });

  it('resamples to a spacing as near as the field of view allows', () => {
    const volume: Volume = makeVolume(
      new Int16Array(20 * 51 * 51),
      [20, 51, 51],
      scalingAffine([0.977, 0.977, 2]),
    );
    const grid = resampledGrid(volume, { spacing: 3 });
    expect(grid.shape).toEqual([13, 17, 17]);
    expect(spacingOf(grid)[0]).toBeCloseTo(40 / 13, 9);
    expect(resampledGrid(volume, { spacing: [100, 1, 2] }).shape).toEqual([1, 50, 25]);
    expect(() => resampledGrid(volume, { spacing: 0 })).toThrow(
      'spacing: expected positive numbers of mm, found',
    );
    expect(() => resampledGrid(volume, { spacing: 1e-5 })).toThrow('spacing: expected one at which ');
  });
});

describe('resampleLabels', () => {
  const labels = (values: readonly number[]) =>
    makeVolume(Uint8Array.from(values), [1, 1, values.length], unit);
  const to = (values: readonly number[], width: number) => [
    ...resampleLabels(labels(values), { shape: [1, 1, width] }).data,
  ];

  it('takes the largest share, never a class between two others', () => {
    expect(to([0, 0, 0, 2, 2, 2, 2, 2, 2], 3)).toEqual([0, 2, 2]);
    expect(to([2, 2, 0, 0], 8)).toEqual([2, 2, 2, 2, 0, 0, 0, 0]);
  });

  it('gives a tie to the lower class', () => {
    expect(to([2, 2, 2, 0, 0, 0], 3)).toEqual([2, 0, 0]);
    expect(to([2, 2, 2, 1, 1, 1], 3)).toEqual([2, 1, 1]);
    expect(to([1, 1, 1, 2, 2, 2], 3)).toEqual([1, 1, 2]);
    expect(to([2, 1], 1)).toEqual([1]);
  });

  it('keeps one voxel of a class that would vanish', () => {
    const values = new Array(64).fill(1);
    values[20] = 2;
    expect(to(values, 8)).toEqual([1, 1, 2, 1, 1, 1, 1, 1]);
    expect(to([0, 2], 1)).toEqual([2]);
  });

  it('invents no class and keeps a volume of one class', () => {
    fc.assert(
      fc.property(shape, shape, fc.infiniteStream(fc.nat(3)), (from, size, stream) => {
        const data = Uint8Array.from({ length: voxelCount(from) }, () => stream.next().value);
        const present = new Set(data);
        const out = resampleLabels(makeVolume(data, from, unit), { shape: size });
        expect([...out.data].every((label) => present.has(label))).toBe(true);
        const same = resampleLabels(makeVolume(data.fill(3), from, unit), { shape: size });
        expect(same.data.every((label) => label === 3)).toBe(true);
      }),
    );
  });

  it('comes back to the grid and orientation it was resampled from', () => {
    const affine = [0, 0, -3, 50, -2, 0, 0, 60, 0, 2, 0, 70, 0, 0, 0, 1];
    const ball = new Uint8Array(24 * 30 * 36);
    for (let n = 0; n < ball.length; n++) {
      const [k, j, i] = [Math.floor(n / 1080), Math.floor(n / 36) % 30, n % 36];
      ball[n] = Math.hypot(k - 10, j - 14, i - 20) < 8 ? 1 : 0;
    }
    const original = makeVolume(ball, [24, 30, 36], affine);
    const small = resampleLabels(original, { shape: [16, 20, 24] });
    const back = resampleLabelsTo(small, original);
    expect(back.shape).toEqual(original.shape);
    expect(back.affine).toEqual(affine);
    const wrong = back.data.reduce((sum, label, n) => sum + (label === ball[n] ? 0 : 1), 0);
    expect(wrong).toBeLessThan(250); // of 2,100 voxels in the ball, 800 on its surface
    const elsewhere = { shape: original.shape, affine: scalingAffine([2, 2, 3]) };
    expect(() => resampleLabelsTo(small, elsewhere)).toThrow(
      /labels: expected a label map over the field of view/,
    );
  });
});
