import { describe, expect, it } from 'vitest';
import { type Shape3, voxelCount } from '../volume/volume.ts';
import { wholeBox } from '../volume/voxel-source.ts';
import { aboutPoint } from './augment-draw.ts';
import { type Flips, type PlaneMap, readBox, type SpatialMap } from './augment-map.ts';
import { moveVoxels } from './augment-space.ts';

const shape: Shape3 = [5, 6, 7];
const image = Float32Array.from({ length: voxelCount(shape) }, (_, n) => n / 300);
const labels = Uint8Array.from({ length: voxelCount(shape) }, (_, n) => n % 3);
const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
const upright: Flips = [false, false, false];

/** The whole volume through a map, into arrays that held something. */
function moved(change: Partial<SpatialMap>, from = { image, labels }, size = shape) {
  const map = { shape: size, flips: upright, planes: [], ...change };
  const box = wholeBox(size);
  const out = { box, image: from.image.slice().fill(7), labels: from.labels.slice().fill(9) };
  moveVoxels({ box, ...from }, map, box, out);
  return out;
}

const indexOf = (n: number) => [Math.floor(n / 42), Math.floor(n / 7) % 6, n % 7];

describe('moveVoxels', () => {
  it('is exact for shifts by whole voxels, with 0 from outside', () => {
    const out = moved({ affine: { matrix: identity, offset: [1, -2, 3] } });
    for (let n = 0; n < image.length; n++) {
      const [k, j, i] = indexOf(n).map((at, axis) => at + [1, -2, 3][axis]);
      const outside = k > 4 || j < 0 || i > 6;
      expect(out.image[n]).toBe(outside ? 0 : image[(k * 6 + j) * 7 + i]);
      expect(out.labels[n]).toBe(outside ? 0 : labels[(k * 6 + j) * 7 + i]);
    }
  });

  it('interpolates between voxels, also at the border', () => {
    const pair = { image: Float32Array.from([4, 8]), labels: Uint8Array.from([1, 2]) };
    const out = moved({ affine: { matrix: identity, offset: [0, 0, -0.25] } }, pair, [1, 1, 2]);
    expect([...out.image]).toEqual([3, 7]);
    expect([...out.labels]).toEqual([1, 2]);
    const first = moved({ affine: { matrix: identity, offset: [0.5, 0.25, 0.75] } }).image[0];
    expect(first).toBeCloseTo((0.5 * 42 + 0.25 * 7 + 0.75) / 300, 6);
  });

  it('mirrors what it moves as mirroring first would', () => {
    const affine = { matrix: [0.9, 0.1, 0, -0.1, 1.1, 0.2, 0.05, 0, 0.95], offset: [0.3, -0.6, 0.2] };
    for (let n = 0; n < 8; n++) {
      const flips: Flips = [(n & 1) > 0, (n & 2) > 0, (n & 4) > 0];
      const mirrored = moved({ flips });
      expect(moved({ flips, affine })).toEqual(moved({ affine }, mirrored));
      expect(moved({ flips }, mirrored)).toEqual({ box: wholeBox(shape), image, labels });
    }
  });

  it('keeps in place what an identity of each kind maps', () => {
    const plane: PlaneMap = { axes: [0, 2], matrix: identity };
    for (const change of [{ affine: { matrix: identity, offset: [0, 0, 0] } }, { planes: [plane, plane] }])
      expect(moved(change)).toEqual({ box: wholeBox(shape), image, labels });
  });
});

describe('projective maps', () => {
  it('are exact where worked out by hand', () => {
    // In the plane of height and width: (y, x) -> (y, x) / (1 + x / 8), so that x = 4 reads 4 / 1.5 = 2.667, x = 6 reads 3.429.
    const out = moved({ planes: [{ axes: [1, 2], matrix: [1, 0, 0, 0, 1, 0, 0, 1 / 8, 1] }] });
    expect(out.image[4]).toBeCloseTo(4 / 1.5 / 300, 6);
    expect(out.labels[4]).toBe(labels[3]);
    // y = 3 there reads 2: k = 1 adds 42.
    expect(out.image[42 + 3 * 7 + 4]).toBeCloseTo((42 + 2 * 7 + 4 / 1.5) / 300, 6);
    expect(out.labels[42 + 3 * 7 + 6]).toBe(labels[42 + Math.round(3 / 1.75) * 7 + Math.round(6 / 1.75)]);
  });

  it('read 0 where the map has no sound place', () => {
    const out = moved({ planes: [{ axes: [1, 2], matrix: [1, 0, 0, 0, 1, 0, 0, -1 / 4, 1] }] });
    for (const x of [4, 5, 6]) expect(out.image[x]).toBe(0);
    expect(out.image[1]).toBeCloseTo(1 / 0.75 / 300, 6);
  });

  it('leave the centre in its place about the centre', () => {
    const [p, q] = [2.5, 3];
    const matrix = aboutPoint([1.1, 0.2, 0, -0.1, 0.9, 0, 0.05, 0.02, 1], p, q);
    const row = (n: number) => matrix[3 * n] * p + matrix[3 * n + 1] * q + matrix[3 * n + 2];
    expect(row(0) / row(2)).toBeCloseTo(p, 12);
    expect(row(1) / row(2)).toBeCloseTo(q, 12);
    expect(row(2)).toBeCloseTo(1, 12);
  });
});

describe('readBox', () => {
  it('is the box itself, or its mirror image, where voxels keep their values', () => {
    const box = { start: [1, 2, 0], end: [2, 5, 3] } as const;
    expect(readBox({ shape, flips: upright, planes: [] }, box)).toEqual(box);
    expect(readBox({ shape, flips: [true, false, true], planes: [] }, box)).toEqual({
      start: [3, 2, 4],
      end: [4, 5, 7],
    });
  });

  it('is empty where all comes from outside', () => {
    const affine = { matrix: identity, offset: [90, 0, 0] };
    const { start, end } = readBox({ shape, flips: upright, planes: [], affine }, wholeBox(shape));
    expect(end[0] - start[0]).toBe(0);
  });
});
