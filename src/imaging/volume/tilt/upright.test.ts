import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeSlices } from '../../../../test/imaging/dicom-fixture.ts';
import { temporaryFolder } from '../../../../test/imaging/nifti-fixture.ts';
import { writeNifti } from '../../formats/nifti/nifti-write.ts';
import { readScan } from '../../formats/scan.ts';
import { type Affine, affineLean, applyAffine, type Vector3 } from '../affine.ts';
import { sameGrid, type Volume, voxelCount, voxelVolume } from '../volume.ts';
import { leanLabels, uprightGrid } from './upright.ts';

const root = temporaryFolder();
const [depth, height, width] = [9, 12, 10];
/** Linear in mm, so that linear interpolation gives it exactly. */
const ramp = ([x, y, z]: Vector3): number => 40 + 3 * x - 2 * y + z;
const degrees = (angle: number) => (angle * Math.PI) / 180;

/** A volume of a function of the place in RAS+ mm. */
function volumeOf(affine: Affine, value: (at: Vector3) => number): Volume<Float32Array> {
  const shape = [depth, height, width] as const;
  const data = new Float32Array(voxelCount(shape));
  for (let n = 0; n < data.length; n++) data[n] = value(applyAffine(affine, indicesOf(n, height, width)));
  return { data, shape, affine };
}

const indicesOf = (n: number, high: number, wide: number): Vector3 => [
  n % wide,
  Math.floor(n / wide) % high,
  Math.floor(n / (high * wide)),
];

/** The largest error of a volume of the ramp, over voxels that lie between those of the leaning grid. */
function largestError({ data, shape, affine }: Volume, leaning: Affine): { error: number; inside: number } {
  const [a, b, c] = [0, 1, 2].map((n) => [leaning[n], leaning[4 + n], leaning[8 + n]]);
  const solve = (at: Vector3): Vector3 => {
    const d = at.map((value, n) => value - leaning[4 * n + 3]);
    const det = (p: number[], q: number[], r: number[]) =>
      p[0] * (q[1] * r[2] - q[2] * r[1]) -
      p[1] * (q[0] * r[2] - q[2] * r[0]) +
      p[2] * (q[0] * r[1] - q[1] * r[0]);
    const all = det(a, b, c);
    return [det(d, b, c) / all, det(a, d, c) / all, det(a, b, d) / all];
  };
  const isInside = (at: Vector3) =>
    solve(at).every((value, n) => value > -1e-6 && value < [width, height, depth][n] - 1 + 1e-6);
  let [error, inside] = [0, 0];
  for (let n = 0; n < data.length; n++) {
    const at = applyAffine(affine, indicesOf(n, shape[1], shape[2]));
    if (!isInside(at)) continue;
    inside++;
    error = Math.max(error, Math.abs(data[n] - ramp(at)));
  }
  return { error, inside };
}

describe('a scan that leans', () => {
  const tilt = Math.tan(degrees(17));
  it.each([
    ['slices aside along their columns', [1.2, 0, 0, -5, 0, 1.5, 3 * tilt, 4, 0, 0, 3, 7]],
    ['slices aside in both directions, to the left', [-1.2, 0, -0.4, 9, 0, 1.5, -3 * tilt, 4, 0, 0, 3, 7]],
    ['rows aside, axes in another order', [0, 0, 2, 1, 1, -0.5, 0, 2, 0, 1.5, 0, 3]],
    ['all axes aside', [1, 0.2, 0.3, 0, 0.1, 1.5, 0.4, 0, 0, 0.1, 2, 0]],
  ] as const)('is resampled upright: %s', async (name, rows) => {
    const affine = [...rows, 0, 0, 0, 1];
    const file = path.join(root, `${name.replaceAll(/\W/g, '')}.nii.gz`);
    await writeNifti(file, volumeOf(affine, ramp), { type: 'float32' });
    const kept = await readScan(file);
    expect(affineLean(kept.affine)).toBeGreaterThan(0.01);
    const upright = await readScan(file, { lean: 'resample' });
    expect(affineLean(upright.affine)).toBeLessThan(1e-6);
    // Volumes of voxels, and so of what they hold, stay.
    expect(voxelVolume(upright)).toBeCloseTo(voxelVolume(kept), 4);
    const { error, inside } = largestError(upright, kept.affine);
    expect(inside).toBeGreaterThan(0.7 * voxelCount(kept.shape));
    expect(error).toBeLessThan(1e-3);
    expect(upright.header.notes?.join()).toMatch(
      /leaned by \d+\.\d degrees \(gantry tilt\) and was resampled upright/,
    );
  });

  it('of DICOM is refused with what to do, and resampled on request, with slices at their heights', async () => {
    const slices = Array.from({ length: depth }, (_, k) => {
      const position = [-10, -20 + k * 3 * tilt, 3 * k];
      // LPS: x to the left, y to the back.
      const values = Array.from({ length: height * width }, (_, n) => {
        const [x, y] = [position[0] + 2 * (n % width), position[1] + 2 * Math.floor(n / width)];
        return Math.round(ramp([-x, -y, position[2]]));
      });
      return { position, values, rows: height, columns: width, spacing: [2, 2] };
    });
    const dir = writeSlices(
      mkdtempSync(path.join(root, 'tilted-')),
      Object.fromEntries(slices.map((slice, k) => [`${k}.dcm`, slice])),
    );
    await expect(readScan(dir)).rejects.toThrow(
      /leans by 17.0 degrees \(gantry tilt\)\. Give --resample-tilt,/,
    );
    const kept = await readScan(dir, { lean: 'keep' });
    expect(affineLean(kept.affine)).toBeCloseTo(Math.sin(degrees(17)), 6);
    const upright = await readScan(dir, { lean: 'resample' });
    expect(upright.affine[10]).toBeCloseTo(3, 9);
    expect(affineLean(upright.affine)).toBeLessThan(1e-9);
    // Values were rounded to whole numbers.
    expect(largestError(upright, kept.affine).error).toBeLessThan(0.51);
  });

  it('shows a ball where it is, and gives its labels back to their voxels', async () => {
    const affine = [1, 0, 0, -5, 0, 1, 2 * tilt, -8, 0, 0, 2, -8, 0, 0, 0, 1];
    const centre = [0.3, 0.4, 0.2];
    const ball = (at: Vector3) => (Math.hypot(...at.map((value, n) => value - centre[n])) < 3.5 ? 1 : 0);
    const leaning = volumeOf(affine, ball);
    const file = path.join(root, 'ball.nii.gz');
    await writeNifti(file, leaning, { type: 'uint8' });
    const labels = await readScan(file, { lean: 'resample', labels: true });
    expect(labels.data).toBeInstanceOf(Uint8Array);
    const places = [...labels.data].flatMap((value, n) =>
      value === 1 ? [applyAffine(labels.affine, indicesOf(n, labels.shape[1], labels.shape[2]))] : [],
    );
    const mean = [0, 1, 2].map((n) => places.reduce((sum, at) => sum + at[n], 0) / places.length);
    mean.forEach((value, n) => {
      expect(Math.abs(value - centre[n])).toBeLessThan(0.15);
    });
    const grid = uprightGrid(leaning)!;
    expect(sameGrid(grid.grid, labels)).toBe(true);
    const back = leanLabels(grid, Uint8Array.from(labels.data));
    expect(back.length).toBe(leaning.data.length);
    // Each slice moves by a part of a voxel and back: a voxel comes back as it was.
    expect([...back]).toEqual([...leaning.data]);
  });

  it('further than any gantry is refused, an upright one is left alone', async () => {
    const file = path.join(root, 'far.nii.gz');
    await writeNifti(file, volumeOf([1, 0, 0, 0, 0, 1, 9, 0, 0, 0, 2, 0, 0, 0, 0, 1], ramp), {
      type: 'float32',
    });
    await expect(readScan(file, { lean: 'resample' })).rejects.toThrow(
      /lean of the axes: expected at most 60 degrees/,
    );
    const straight = path.join(root, 'straight.nii.gz');
    await writeNifti(straight, volumeOf([1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1], ramp), {
      type: 'int16',
    });
    const scan = await readScan(straight, { lean: 'resample' });
    expect(scan.data).toBeInstanceOf(Int16Array);
    expect(scan.header.upright).toBeUndefined();
  });
});
