import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import { verifyDataset } from '../check/verify.ts';
import { writeNifti } from '../formats/nifti/nifti-write.ts';
import { type Affine, applyAffine } from '../volume/affine.ts';
import { IGNORED } from '../volume/label-codes.ts';
import {
  boxPlacer,
  canonicalGrid,
  fromCanonical,
  type Orientation,
  orientationOf,
  orientationOnto,
  toCanonical,
} from '../volume/orientation.ts';
import { type Grid, makeVolume, type Shape3, type Volume, voxelVolume } from '../volume/volume.ts';
import { wholeBox } from '../volume/voxel-source.ts';
import { openDataset } from './dataset.ts';
import { loadLabels, nearestLabel } from './labels.ts';
import { type LabelMapping, namedLabels } from './named-labels.ts';

const folder = temporaryFolder();
const shape: Shape3 = [3, 4, 5];
const values = Uint8Array.from({ length: 60 }, (_, n) => n);

/** Voxels of 1.5 mm, turned about the axis of the body. */
function turned(degrees: number): Affine {
  const [c, s] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return [1.5 * c, -1.5 * s, 0, 10, 1.5 * s, 1.5 * c, 0, 20, 0, 0, 4, 30, 0, 0, 0, 1];
}

/** The value at each place in space. */
function byPlace({ data, shape: [depth, height, width], affine }: Volume): Map<number, string> {
  const found = new Map<number, string>();
  for (let k = 0; k < depth; k++)
    for (let j = 0; j < height; j++)
      for (let i = 0; i < width; i++) {
        const place = applyAffine(affine, [i, j, k]).map((mm) => Math.round(mm * 50));
        found.set(data[(k * height + j) * width + i], place.join(' ').replaceAll('-0', '0'));
      }
  return found;
}

describe('label maps on the grid of their image', () => {
  it('are found there at 45 degrees, where rounding decides which axis is nearest', async () => {
    const [image, map] = [turned(45 + 1e-4), turned(45 - 1e-4)];
    expect(orientationOf(image)).not.toEqual(orientationOf(map));
    const file = path.join(folder, 'turned.nii');
    await writeNifti(file, makeVolume(values, shape, map));
    const grid = canonicalGrid({ shape, affine: image });
    const labels = await loadLabels(file, grid);
    expect(byPlace(labels)).toEqual(byPlace(makeVolume(values, shape, image)));
  });

  const rotation = fc.tuple(...[1, 2, 3, 4].map(() => fc.double({ min: -1, max: 1, noNaN: true })));
  const anyOrientation: fc.Arbitrary<Orientation> = fc.record({
    axes: fc.constantFrom([0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]),
    flipped: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  }) as fc.Arbitrary<Orientation>;

  it('are found there in any direction, sheared or not, in any order of their axes', () => {
    const shear = fc.double({ min: -0.4, max: 0.4, noNaN: true });
    const noise = fc.double({ min: -1e-4, max: 1e-4, noNaN: true });
    fc.assert(
      fc.property(rotation, shear, anyOrientation, noise, (q, lean, orientation, rounding) => {
        const length = Math.hypot(...q);
        fc.pre(length > 0.1);
        const [a, b, c, d] = q.map((n) => n / length);
        const rows = [
          [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
          [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
          [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ];
        const affine = rows.flatMap(([x, y, z], n) => [x, 1.5 * y, 3 * z + lean * y, 7 * n]);
        const image: Grid = { shape, affine: [...affine, 0, 0, 0, 1] };
        const canonical = canonicalGrid(image);
        const whole = toCanonical(makeVolume(values, shape, image.affine)).volume;
        const other = fromCanonical(whole, orientation);
        const stored = { ...other, affine: other.affine.map((v, n) => (n < 12 ? v + rounding : v)) };
        const found = orientationOnto(stored, canonical);
        expect(found).toBeDefined();
        const out = new Uint8Array(60);
        boxPlacer(stored, wholeBox(canonical.shape), out, found)(stored.data, 0);
        expect(out).toEqual(whole.data);
        expect(voxelVolume(stored) / voxelVolume(image)).toBeCloseTo(1, 2);
        const moved = stored.affine.map((v, n) => (n === 3 ? v + 0.4 : v));
        expect(orientationOnto({ ...stored, affine: moved }, canonical)).toBeUndefined();
      }),
    );
  });
});

describe('values of labels', () => {
  it('are whole numbers within 1e-3', () => {
    expect([0, -0.0004, 1.0000001, 1.999, 254.9995].map(nearestLabel)).toEqual([0, 0, 1, 2, 255]);
    expect([-0.002, 0.5, 1.002, 255.01, 256, Number.NaN, 1e30].map(nearestLabel)).toEqual(Array(7).fill(-1));
    expect(Object.is(nearestLabel(-0.0004), 0)).toBe(true);
  });

  it('are taken from scaled files, and refused with value and place beside them', async () => {
    const affine = turned(0);
    const image = canonicalGrid({ shape, affine });
    const file = path.join(folder, 'scaled.nii');
    const map = Float32Array.from(values, (v) => (v % 3) * 1.0000002 - 0.0001);
    await writeNifti(file, makeVolume(map, shape, affine));
    const { data } = await loadLabels(file, image, ['a', 'b', 'c']);
    expect(data).toEqual(values.map((v) => v % 3));
    map[25] = 1.25;
    await writeNifti(file, makeVolume(map, shape, affine));
    await expect(loadLabels(file, image, ['a', 'b', 'c'])).rejects.toThrow(
      'label at voxel (depth, height, width) = (1, 1, 0): expected one of 0 a, 1 b, 2 c, found 1.25',
    );
  });

  it('are counted so by the check of a data set', async () => {
    const affine = turned(0);
    const scan = Int16Array.from(values, (v) => 20 * v - 900);
    const map = Float32Array.from(values, (v) => (v % 2) * 0.9999);
    for (const [name, data] of [
      ['imagesTr', scan],
      ['labelsTr', map],
    ] as const) {
      mkdirSync(path.join(folder, 'set', name), { recursive: true });
      await writeNifti(path.join(folder, 'set', name, 'a.nii'), makeVolume(data, shape, affine));
    }
    const report = await verifyDataset(path.join(folder, 'set'));
    expect(report.faults).toBe(0);
    expect(report.cases[0].labels).toEqual({ 0: 30, 1: 30 });
  });

  it('may have gaps, stand for others and be left out: classes are numbered without them', async () => {
    const dir = path.join(folder, 'gap');
    for (const name of ['imagesTr', 'labelsTr']) mkdirSync(path.join(dir, name), { recursive: true });
    const labels = { background: 0, liver: 1, tumour: 3, cyst: 5, ignore: 9 };
    writeFileSync(path.join(dir, 'dataset.json'), JSON.stringify({ labels }));
    const scan = Int16Array.from(values, (v) => 20 * v - 900);
    await writeNifti(path.join(dir, 'imagesTr', 'a.nii'), makeVolume(scan, shape, turned(0)));
    const file = path.join(dir, 'labelsTr', 'a.nii');
    const write = (of: number[]) =>
      writeNifti(
        file,
        makeVolume(
          Uint8Array.from(values, (v) => of[v % of.length]),
          shape,
          turned(0),
        ),
      );
    await write([0, 1, 3, 5, 9]);
    const grid = canonicalGrid({ shape, affine: turned(0) });
    const read = async (mapLabels?: LabelMapping) => {
      const { cases, labelNames, labelCodes } = await openDataset(dir, { mapLabels });
      const { data } = await loadLabels(file, grid, labelNames, labelCodes);
      return { labelNames, values: labelCodes?.classValues, labels: [...data.subarray(0, 5)], cases };
    };
    expect(await read()).toMatchObject({
      labelNames: ['background', 'liver', 'tumour', 'cyst'],
      values: [0, 1, 3, 5],
      labels: [0, 1, 2, 3, IGNORED],
    });
    expect(await read({ 3: 1, 5: 'ignore', 9: 0 })).toMatchObject({
      labelNames: ['background', 'liver'],
      values: [0, 1],
      labels: [0, 1, 1, IGNORED, 0],
    });
    const report = await verifyDataset(dir);
    expect(report).toMatchObject({ faults: 0, cases: [{ labels: { 0: 12, 1: 12, 3: 12, 5: 12, 9: 12 } }] });
    expect(report.findings).toEqual([]);
    await expect(read({ 5: 7 })).rejects.toThrow(
      'map of labels: expected one of 0 background, 1 liver, 3 tumour, or ignore, found 5=7',
    );
    await expect(read({ 0: 1 })).rejects.toThrow('found no name for 0, the background');
    await write([0, 1, 2]);
    await expect(read()).rejects.toThrow(
      'expected one of 0 background, 1 liver, 3 tumour, 5 cyst, 9 ignore, found 2. Correct the label map, or',
    );
    expect((await verifyDataset(dir)).cases[0].findings.at(-1)).toMatchObject({
      field: 'labels',
      expected: 'one of 0 background, 1 liver, 3 tumour, 5 cyst, 9 ignore',
    });
    expect((await read({ 2: 3 })).labels).toEqual([0, 1, 2, 0, 1]);
  });

  it('stand for others where nothing names them', async () => {
    const file = path.join(folder, 'unnamed.nii');
    await writeNifti(
      file,
      makeVolume(
        Uint8Array.from(values, (v) => [0, 4, 255][v % 3]),
        shape,
        turned(0),
      ),
    );
    const { labelCodes } = namedLabels(undefined, { 4: 1, 255: 'ignore' }, 'a');
    const grid = canonicalGrid({ shape, affine: turned(0) });
    const { data } = await loadLabels(file, grid, ['background', 'liver'], labelCodes);
    expect([...data.subarray(0, 3)]).toEqual([0, 1, IGNORED]);
    await expect(loadLabels(file, grid, ['background', 'liver'])).rejects.toThrow('found 4');
    expect(() => namedLabels(undefined, { 4: 3, 3: 1 }, 'a')).toThrow(
      'a value that stands for itself, found 4=3',
    );
  });
});
