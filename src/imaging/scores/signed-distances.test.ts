import { describe, expect, it } from 'vitest';
import { uniform } from '../../core/index.ts';
import { type Shape3, type VoxelSize, voxelCount, voxelSteps } from '../volume/volume.ts';
import { boxShape, type VoxelBox, wholeBox } from '../volume/voxel-source.ts';
import { SignedDistances } from './signed-distances.ts';

const SHAPE: Shape3 = [4, 5, 6];
const labels = Uint8Array.from({ length: voxelCount(SHAPE) }, (_, n) =>
  Math.floor(uniform(1, 2, 3, n) ** 2 * 4),
);

const places = Array.from({ length: labels.length }, (_, n) => [
  Math.floor(n / (SHAPE[1] * SHAPE[2])),
  Math.floor(n / SHAPE[2]) % SHAPE[1],
  n % SHAPE[2],
]);

/** By the ways to all other voxels. */
function directly(voxel: VoxelSize, at: number, region: readonly number[]): number {
  const steps = voxelSteps(voxel);
  const inside = region.includes(labels[at]);
  const ways = places.flatMap((place, n) => {
    if (region.includes(labels[n]) === inside) return [];
    const away = [0, 1, 2].map((mm) =>
      steps.reduce((sum, step, axis) => sum + step[mm] * (place[axis] - places[at][axis]), 0),
    );
    return [Math.hypot(...away)];
  });
  if (ways.length === 0) return 0;
  return inside ? -Math.min(...ways) : Math.min(...ways);
}

const leaning: VoxelSize = { affine: [0.7, 0.2, 0, 0, 0, 1.5, 0, 0, 0.4, 0, 3, 0, 0, 0, 0, 1] };
const REGIONS = [[1], [], [2, 3], [7], [0, 1, 2, 3]];

describe.each<[string, VoxelSize]>([
  ['at right angles', [3, 1.5, 0.7]],
  ['that lean', leaning],
])('signed distances on voxels %s', (_, voxel) => {
  it('are the shortest ways across the boundary, in mm', () => {
    const found = new SignedDistances(labels, SHAPE, voxel, { regions: REGIONS }).read(wholeBox(SHAPE));
    for (let at = 0; at < labels.length; at++)
      for (const [n, region] of REGIONS.entries())
        expect(found[at * REGIONS.length + n]).toBeCloseTo(
          region.length === 0 ? 0 : directly(voxel, at, region),
          5,
        );
    expect(Math.min(...found)).toBeLessThan(0);
    expect(Math.max(...found)).toBeGreaterThan(1);
  });

  it('of a box and some regions are those of the whole, in any order', () => {
    const whole = new SignedDistances(labels, SHAPE, voxel, { regions: REGIONS }).read(wholeBox(SHAPE));
    const again = new SignedDistances(labels, SHAPE, voxel, { regions: REGIONS });
    const boxes: VoxelBox[] = [
      { start: [2, 1, 2], end: [4, 4, 6] },
      { start: [0, 0, 0], end: [3, 2, 1] },
    ];
    for (const box of boxes) {
      const part = again.read(box, 1, 3);
      const [, height, width] = boxShape(box);
      for (let at = 0; at < part.length; at++) {
        const n = Math.floor(at / 2);
        const [k, j, i] = [Math.floor(n / (height * width)), Math.floor(n / width) % height, n % width];
        const place = ((k + box.start[0]) * SHAPE[1] + j + box.start[1]) * SHAPE[2] + i + box.start[2];
        expect(part[at]).toBe(whole[place * REGIONS.length + 1 + (at % 2)]);
      }
    }
  });

  it('are 0 where a label does not count, which is outside of every region', () => {
    const found = new SignedDistances(labels, SHAPE, voxel, { regions: [[1]], ignore: 2 }).read(
      wholeBox(SHAPE),
    );
    for (let at = 0; at < labels.length; at++)
      expect(found[at]).toBeCloseTo(labels[at] === 2 ? 0 : directly(voxel, at, [1]), 5);
  });
});

it('refuses labels of another size', () => {
  expect(() => new SignedDistances(new Uint8Array(3), SHAPE, [1, 1, 1], { regions: [[1]] })).toThrow(
    'labels',
  );
});
