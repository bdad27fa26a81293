import { describe, expect, it } from 'vitest';
import { changes, makeSample, sourceOf } from '../../../test/imaging/augment-fixture.ts';
import { voxelCount } from '../volume/volume.ts';
import { boxShape, type VoxelBox } from '../volume/voxel-source.ts';
import { type AugmentConfig, augmentBox } from './augment.ts';
import { drawChanges } from './augment-draw.ts';
import { readBox } from './augment-map.ts';

const key = (step: number) => ({ seed: 1, caseIndex: 2, step });

describe('what a box reads', () => {
  it('is the box where voxels stay, and no more than its surroundings where they move', async () => {
    const big = makeSample([40, 40, 40]);
    const box: VoxelBox = { start: [10, 12, 14], end: [18, 20, 22] };
    for (const config of [changes.noise, changes.corruption, changes.gamma]) {
      const source = sourceOf(big);
      await augmentBox(source, config, key(0), box);
      expect(source.read).toEqual([box, box]);
    }
    for (const config of [changes.affine, changes.projective, changes.zoom, changes.elastic]) {
      const source = sourceOf(big);
      await augmentBox(source, config, key(0), box);
      for (const read of source.read) expect(voxelCount(boxShape(read))).toBeLessThan(24 ** 3);
    }
  });

  it('reaches as far as the points of an elastic map may shift', () => {
    const box: VoxelBox = { start: [10, 12, 14], end: [18, 20, 22] };
    const config: AugmentConfig = { elastic: { probability: 1, cells: 2, ratio: 0.25 } };
    for (let step = 0; step < 10; step++) {
      const map = drawChanges(config, key(step), [40, 36, 38]).map!;
      map.elastic!.fields.forEach(({ lattice }, axis) => {
        const planes = Array.from({ length: lattice.shape[0] }, (_, k) => [...lattice.plane(k)]);
        const farthest = Math.max(...planes.flat().map(Math.abs));
        expect(readBox(map, box).start[axis]).toBeLessThanOrEqual(Math.max(0, box.start[axis] - farthest));
        expect(readBox(map, box).end[axis]).toBeGreaterThan(box.end[axis] - 1 + farthest);
      });
    }
  });

  it('is read in parts of the size asked for, the labels for fake lesions only once', async () => {
    const source = sourceOf(makeSample([24, 24, 24]));
    const config = { ...changes.fakeLesions, ...changes.projective };
    await augmentBox(source, config, key(0), undefined, { most: 4000 });
    const first = source.read.length;
    for (const read of source.read.slice(1)) expect(voxelCount(boxShape(read))).toBeLessThanOrEqual(4000);
    await augmentBox(source, config, key(0), undefined, { most: 4000 });
    expect(source.read.length).toBe(2 * first - 1);
  });
});
