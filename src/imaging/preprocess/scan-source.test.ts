import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadLabelBox, loadLabels } from '../dataset/labels.ts';
import { writeNifti } from '../formats/nifti/nifti-write.ts';
import {
  boxOfSlices,
  canonicalGrid,
  fromCanonical,
  orientationOf,
  storedPlacer,
  toCanonical,
} from '../volume/orientation.ts';
import { makeVolume, type Shape3, type Volume, voxelCount } from '../volume/volume.ts';
import { boxShape, type VoxelBox, wholeBox } from '../volume/voxel-source.ts';
import { loadCase, type PrepareOptions } from './preprocess.ts';
import { openScanSource, planScan } from './scan-source.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-source-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** i to the back, j to the feet, k to the left, none alike in spacing. */
const AFFINE = [0, 0, -1.5, 40, -0.8, 0, 0, 10, 0, -2.5, 0, 90, 0, 0, 0, 1];
const SHAPE: Shape3 = [9, 7, 11];
const data = Int16Array.from({ length: voxelCount(SHAPE) }, (_, n) => ((n * 7919) % 1400) - 700);
const scan: Volume = makeVolume(data, SHAPE, AFFINE);

function boxOf(whole: Float32Array, shape: Shape3, { start, end }: VoxelBox): Float32Array {
  const out: number[] = [];
  for (let k = start[0]; k < end[0]; k++)
    for (let j = start[1]; j < end[1]; j++)
      for (let i = start[2]; i < end[2]; i++) out.push(whole[(k * shape[1] + j) * shape[2] + i]);
  return Float32Array.from(out);
}

describe('a scan that is read box by box', () => {
  it.each<[string, PrepareOptions]>([
    ['on its own voxels', {}],
    ['with air around', { multipleOf: 4 }],
    ['finer', { spacing: 0.9 }],
    ['coarser', { spacing: [3, 1.1, 2] }],
    ['as a cube, with another window', { size: 8, window: { lower: -100, upper: 300 } }],
    ['resampled, with air around', { spacing: 1.1, multipleOf: 8 }],
  ])('has the bits of the whole: %s', async (name, options) => {
    const image = path.join(folder, `${name.replaceAll(/\W/g, '')}.nii.gz`);
    await writeNifti(image, scan);
    const entry = { id: 'a', image };
    const { image: whole, labels: _, ...geometry } = await loadCase(entry, options);
    const { shape } = geometry;
    expect((await planScan(entry, options)).geometry).toEqual(geometry);
    const source = await openScanSource(entry, options);
    expect(source.geometry).toEqual(geometry);
    expect(await source.image(wholeBox(shape))).toEqual(whole);
    // In the middle and at the far corner; only what they need is read.
    const middle: VoxelBox = { start: [2, 1, 3], end: [5, 4, 6] };
    const corner: VoxelBox = { start: [shape[0] - 3, shape[1] - 2, shape[2] - 4], end: shape };
    for (const box of [middle, corner]) {
      const part = await openScanSource(entry, options, box);
      expect(part.bytes).toBeLessThan(source.bytes);
      expect(await part.image(box)).toEqual(boxOf(whole, shape, box));
      expect(await source.image(box)).toEqual(boxOf(whole, shape, box));
      const inner: VoxelBox = { start: [box.start[0] + 1, box.start[1], box.start[2] + 1], end: box.end };
      expect(await part.image(inner)).toEqual(boxOf(whole, shape, inner));
      expect(boxShape(inner)[0]).toBe(boxShape(box)[0] - 1);
    }
  });

  it('has labels of a box, whose file is checked to its end', async () => {
    const file = path.join(folder, 'labels.nii.gz');
    const labels = makeVolume(
      data.map((value) => (value + 700) % 3),
      SHAPE,
      AFFINE,
    );
    await writeNifti(file, labels);
    const grid = canonicalGrid(scan);
    const whole = (await loadLabels(file, grid)).data;
    expect(new Set(whole)).toEqual(new Set([0, 1, 2]));
    const box: VoxelBox = { start: [1, 2, 0], end: [6, 5, 8] };
    const cut = boxOf(Float32Array.from(whole), grid.shape, box);
    expect(await loadLabelBox(file, grid, box, ['a', 'b', 'c'])).toEqual(Uint8Array.from(cut));
    const nothing: VoxelBox = { start: [0, 0, 0], end: [0, 0, 0] };
    expect(await loadLabelBox(file, grid, nothing)).toHaveLength(0);
    await expect(loadLabelBox(file, grid, nothing, ['a', 'b'])).rejects.toThrow(/expected one of 0 a, 1 b/);
  });

  it('keeps the type of the file', async () => {
    const image = path.join(folder, 'type.nii');
    await writeNifti(image, scan);
    expect((await openScanSource({ id: 'a', image })).bytes).toBe(2 * data.length);
    expect((await planScan({ id: 'a', image })).voxelBytes).toBe(2);
  });
});

describe('slices in RAS+ order', () => {
  it('are put back where the file has them', () => {
    const { volume } = toCanonical(scan);
    const back = new Int16Array(data.length);
    const put = storedPlacer(scan, back);
    const plane = volume.shape[1] * volume.shape[2];
    for (let k = 0; k < volume.shape[0]; k += 2) put(volume.data.subarray(k * plane, (k + 2) * plane), k);
    expect(back).toEqual(data);
    expect(orientationOf(AFFINE).axes).not.toEqual([0, 1, 2]);
  });

  it.each([
    AFFINE,
    [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
    [-1, 0, 0, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 1],
  ])('lie in a box of it: %j', (...affine) => {
    const volume = makeVolume(data, SHAPE, affine);
    const canonical = toCanonical(volume).volume;
    const box = boxOfSlices(volume, 2, 5);
    const cut = boxOf(Float32Array.from(canonical.data), canonical.shape, box);
    const slices = { ...canonical, data: cut, shape: boxShape(box) };
    const plane = SHAPE[1] * SHAPE[2];
    expect(fromCanonical(slices, orientationOf(affine)).data).toEqual(
      Float32Array.from(data.subarray(2 * plane, 5 * plane)),
    );
  });
});
