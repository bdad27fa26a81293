import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Affine, affineLean, applyAffine, PERPENDICULAR } from '../volume/affine.ts';
import { type Shape3, voxelSteps, voxelVolume } from '../volume/volume.ts';
import { distancesTo } from './distance.ts';
import { postprocess } from './postprocess.ts';
import { surfaceScores } from './surface.ts';
import { cellAreas } from './surface-cells.ts';

/** Voxels of 0.7 x 0.7 x 5 mm whose slices are shifted along the height as by a gantry tilt. */
const tilted = (degrees: number): Affine => {
  const shift = 5 * Math.tan((degrees * Math.PI) / 180);
  return [-0.7, 0, 0, 30, 0, 0.7, shift, -20, 0, 0, 5, 7, 0, 0, 0, 1];
};

/** Steps that span space, of any lengths and directions. */
const anyAffine = fc
  .array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 9, maxLength: 9 })
  .map((n): Affine => [n[0], n[1], n[2], 0, n[3], n[4], n[5], 0, n[6], n[7], n[8], 0, 0, 0, 0, 1])
  .filter((affine) => voxelVolume({ affine }) > 0.05 && affineLean(affine) > PERPENDICULAR);

const bits = (length: number) =>
  fc.array(fc.nat(1), { minLength: length, maxLength: length }).map((values) => Uint8Array.from(values));

describe('voxels whose axes lean', () => {
  it('have the volume of the determinant', () => {
    expect(voxelVolume({ affine: tilted(20) })).toBeCloseTo(0.7 * 0.7 * 5, 12);
    // A part of two voxels, 4.9 mm^3, and one of one voxel.
    const labels = Uint8Array.of(1, 1, 0, 1);
    const cleaned = postprocess(
      labels,
      [1, 1, 4],
      { affine: tilted(20) },
      {
        minimumSize: [{ label: 1, volume: 4.9 }],
      },
    );
    expect([...cleaned]).toEqual([1, 1, 0, 0]);
  });

  it('are as far from each other as their places in space', () => {
    const shape: Shape3 = [4, 6, 5];
    const place = (affine: Affine, n: number) =>
      applyAffine(affine, [n % 5, Math.floor(n / 5) % 6, Math.floor(n / 30)]);
    fc.assert(
      fc.property(anyAffine, bits(120), (affine, set) => {
        const distances = distancesTo(shape, { affine }, (k, flags) =>
          flags.set(set.subarray(k * 30, k * 30 + 30)),
        );
        for (let n = 0; n < 120; n++) {
          let nearest = Number.POSITIVE_INFINITY;
          const p = place(affine, n);
          for (let m = 0; m < 120; m++) {
            if (!set[m]) continue;
            const q = place(affine, m);
            nearest = Math.min(nearest, Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]));
          }
          const found = Math.sqrt(distances.squaredAt(Math.floor(n / 30), Math.floor(n / 5) % 6, n % 5));
          if (nearest === Number.POSITIVE_INFINITY) expect(found).toBe(nearest);
          else expect(found).toBeCloseTo(nearest, 9);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('give the Hausdorff distance between two voxels of a tilted scan', () => {
    const shape: Shape3 = [6, 9, 3];
    const voxel = (k: number, j: number) =>
      new Uint8Array(162).fill(1, (k * 9 + j) * 3 + 1, (k * 9 + j) * 3 + 2);
    const found = surfaceScores(
      voxel(1, 1),
      voxel(4, 7),
      shape,
      { affine: tilted(20) },
      { label: 1, tolerance: 1 },
    );
    const expected = Math.hypot(6 * 0.7 + 3 * 5 * Math.tan(Math.PI / 9), 15);
    expect(found.hausdorff).toBeCloseTo(expected, 9);
    expect(found.surfaceDice).toBe(0);
  });

  it('have surfaces whose area does not depend on how the same lattice is written', () => {
    // A voxel in a sheared grid: the octahedron between the middles of its six faces.
    const [down, across, along] = voxelSteps({ affine: tilted(30) });
    const cross = (a: readonly number[], b: readonly number[]) =>
      Math.hypot(a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]);
    const half = (s: number, v: readonly number[]) => v.map((n) => (s * n) / 2);
    const minus = (a: readonly number[], b: readonly number[]) => a.map((n, axis) => n - b[axis]);
    let octahedron = 0;
    for (const x of [-1, 1])
      for (const y of [-1, 1])
        for (const z of [-1, 1]) {
          const corner = half(x, along);
          octahedron += cross(minus(half(y, across), corner), minus(half(z, down), corner)) / 2;
        }
    const areas = cellAreas({ affine: tilted(30) });
    const sum = [0, 1, 2, 3, 4, 5, 6, 7].reduce((all, bit) => all + areas[1 << bit], 0);
    expect(sum).toBeCloseTo(octahedron, 9);
  });

  it('have closed surfaces: their area vectors add up, so areas shrink to those of straight voxels', () => {
    const straight = cellAreas([3, 2, 1]);
    const almost = cellAreas({ affine: [1, 2e-4, 0, 0, 0, 2, 3e-4, 0, 0, 0, 3, 0, 0, 0, 0, 1] });
    for (let code = 0; code < 256; code++)
      expect(Math.abs(almost[code] / (straight[code] || 1) - (straight[code] ? 1 : 0))).toBeLessThan(1e-3);
  });

  it('keep lesions within a margin in mm of their organ', () => {
    // The voxel above is 5.32 mm away along the axis of the slices, and the one a step of 3 heights before it is 5.005.
    const shape: Shape3 = [2, 6, 1];
    const labels = Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 2, 0);
    const options = (margin: number) => ({
      inside: [{ lesion: 2, organ: 1, margin, rule: 'voxels' as const }],
    });
    const kept = (margin: number) => [
      ...postprocess(labels, shape, { affine: tilted(20) }, options(margin)).subarray(6),
    ];
    const shift = 5 * Math.tan(Math.PI / 9);
    const near = Math.hypot(shift - 3 * 0.7, 5);
    expect(kept(near + 0.01)).toEqual([0, 2, 0, 0, 0, 0]);
    expect(kept(near - 0.01)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(kept(Math.hypot(shift, 5) + 0.01)).toEqual([0, 2, 0, 0, 2, 0]);
  });
});
