import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { niftiBytes, temporaryFolder } from '../../../test/imaging/nifti-fixture.ts';
import type { Case } from '../dataset/dataset.ts';
import { writeNifti } from '../formats/nifti/nifti-write.ts';
import { readScan } from '../formats/scan.ts';
import { type Affine, scalingAffine } from '../volume/affine.ts';
import { applyWindow, paperWindow } from '../volume/intensity-window.ts';
import { fromCanonical, orientationOf, toCanonical } from '../volume/orientation.ts';
import { makeVolume, type Volume } from '../volume/volume.ts';
import { loadCase, prepareCase, restoreLabels } from './preprocess.ts';
import { resampleImage } from './resample.ts';

const folder = temporaryFolder();
const lps: Affine = [-2, 0, 0, 40, 0, -2, 0, 30, 0, 0, 3, 5, 0, 0, 0, 1];

/** A block of liver with a tumour in it, 12 x 20 x 24 voxels of 3 x 2 x 2 mm, in LPS order. */
function scan(): { image: Volume<Int16Array>; labels: Volume<Uint8Array> } {
  const image = new Int16Array(12 * 20 * 24).fill(-1000);
  const labels = new Uint8Array(image.length);
  for (let n = 0; n < image.length; n++) {
    const [k, j, i] = [Math.floor(n / 480), Math.floor(n / 24) % 20, n % 24];
    if (k < 3 || k > 9 || j < 4 || j > 13 || i < 2 || i > 15) continue;
    const tumour = k > 4 && k < 8 && j > 6 && j < 11 && i > 4 && i < 9;
    image[n] = tumour ? 20 : 100;
    labels[n] = tumour ? 2 : 1;
  }
  return { image: makeVolume(image, [12, 20, 24], lps), labels: makeVolume(labels, [12, 20, 24], lps) };
}

async function saveCase(id: string, image: Volume, labels?: Volume): Promise<Case> {
  const file = path.join(folder, `${id}.nii.gz`);
  const label = path.join(folder, `${id}-label.nii.gz`);
  await writeNifti(file, image);
  if (labels) await writeNifti(label, labels);
  return { id, image: file, label: labels && label, labelNames: ['background', 'liver', 'tumour'] };
}

describe('loadCase', () => {
  it('windows and turns to RAS+ order, and restores labels exactly at the same size', async () => {
    const { image, labels } = scan();
    const prepared = await loadCase(await saveCase('same', image, labels));
    expect(prepared.shape).toEqual([12, 20, 24]);
    expect(prepared.affine).toEqual([2, 0, 0, -6, 0, 2, 0, -8, 0, 0, 3, 5, 0, 0, 0, 1]);
    const corner = (5 * 20 + (19 - 8)) * 24 + (23 - 6);
    expect(prepared.labels?.[corner]).toBe(2);
    expect(prepared.image[corner]).toBeCloseTo(20 / 1024 + 0.5, 6);
    const back = restoreLabels(prepared.labels ?? new Uint8Array(0), prepared);
    expect(back.data).toEqual(labels.data);
    expect(back.affine).toEqual(lps);
  });

  it.each([
    [{ size: 16 }, [16, 16, 16]],
    [{ size: [6, 20, 24] as const }, [6, 20, 24]],
    [{ spacing: 1.5 }, [24, 27, 32]],
    [{ spacing: 3, multipleOf: 8 }, [16, 16, 16]],
  ])('resamples with %o and comes back', async (options, shape) => {
    const { image, labels } = scan();
    const prepared = prepareCase('x', image, undefined, options);
    expect(prepared.shape).toEqual(shape);
    expect(prepared.labels).toBeUndefined();
    expect(Math.max(...prepared.image)).toBeLessThanOrEqual(1);
    const both = await loadCase(await saveCase('resampled', image, labels), options);
    expect(both.image).toEqual(prepared.image);
    const back = restoreLabels(both.labels ?? new Uint8Array(0), both);
    expect(back.shape).toEqual(image.shape);
    const wrong = back.data.reduce((sum, label, n) => sum + (label === labels.data[n] ? 0 : 1), 0);
    expect(wrong).toBeLessThan(350); // of 980 voxels, most of them on a surface
    expect(new Set(back.data)).toEqual(new Set([0, 1, 2]));
  });

  it('gives the same from any axis order, slab by slab, as turning, resampling and windowing the whole would', async () => {
    const data = Int16Array.from({ length: 11 * 14 * 9 }, (_, n) => ((n * 7919) % 2100) - 1000);
    const labels = Uint8Array.from(data, (value) => (value < -300 ? 0 : value < 400 ? 1 : 2));
    for (let n = 0; n < 24; n++) {
      const first = n % 3;
      const second = (first + 1 + (n & 1)) % 3;
      const affine: number[] = new Array(16).fill(0);
      [first, second, 3 - first - second].forEach((column, row) => {
        affine[4 * row + column] = ((n >> row) & 2 ? -1 : 1) * (1 + row / 2);
      });
      affine[15] = 1;
      const image = makeVolume(data, [11, 14, 9], affine);
      const entry = await saveCase('order', image, makeVolume(labels, [11, 14, 9], affine));
      for (const options of [{}, { size: [9, 12, 17] as const }, { multipleOf: 8 }]) {
        const { volume } = toCanonical(image);
        const target = { shape: options.size ?? volume.shape };
        const slow = applyWindow(resampleImage(volume, target).data);
        const seen = await loadCase(entry, options);
        const [depth, height, width] = seen.filled;
        expect(seen.filled).toEqual(target.shape);
        for (let k = 0; k < depth; k++)
          for (let j = 0; j < height; j++) {
            const row = (k * seen.shape[1] + j) * seen.shape[2];
            const expected = slow.subarray((k * height + j) * width, (k * height + j + 1) * width);
            expect(seen.image.subarray(row, row + width)).toEqual(expected);
          }
        const air = seen.image.reduce((sum, value) => sum + value, 0) - slow.reduce((a, b) => a + b, 0);
        expect(Math.abs(air)).toBeLessThan(1e-3);
        const spare = new Float32Array(seen.image.length).fill(3);
        const again = await loadCase(entry, options, spare);
        expect(again).toEqual(seen);
        expect(again.image).toBe(spare);
        expect(restoreLabels(seen.labels!, seen).shape).toEqual(image.shape);
        if (options.size === undefined) expect(restoreLabels(seen.labels!, seen).data).toEqual(labels);
      }
    }
  });

  it('takes a label map that is stored in another axis order', async () => {
    const { image, labels } = scan();
    const direct = await loadCase(await saveCase('direct', image, labels));
    const asl = orientationOf([0, 0, -1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1]);
    const canonical = {
      data: direct.labels ?? new Uint8Array(0),
      shape: direct.shape,
      affine: direct.affine,
    };
    const turned = await loadCase(await saveCase('turned', image, fromCanonical(canonical, asl)));
    expect(turned.labels).toEqual(direct.labels);
  });

  it('refuses label maps that do not belong to the image', async () => {
    const { image, labels } = scan();
    const shifted = makeVolume(labels.data, labels.shape, [...lps.slice(0, 3), 43, ...lps.slice(4)]);
    await expect(loadCase(await saveCase('shifted', image, shifted))).rejects.toThrow(
      /shifted-label\.nii\.gz: geometry: expected the image's grid .*12x20x24.* -6.*, found .*12x20x24.* -3/,
    );
    const cut = makeVolume(labels.data.subarray(480), [11, 20, 24], lps);
    await expect(loadCase(await saveCase('cut', image, cut))).rejects.toThrow(
      /geometry: .*12x20x24.*11x20x24/,
    );
    const strange = makeVolume(labels.data.slice().fill(3, 500, 501), labels.shape, lps);
    await expect(loadCase(await saveCase('strange', image, strange))).rejects.toThrow(
      /label at voxel .* = \(1, 0, 20\): expected one of 0 background, 1 liver, 2 tumour, found 3/,
    );
    const half = makeVolume(
      Float32Array.from(labels.data, (v) => v / 2),
      labels.shape,
      lps,
    );
    await expect(loadCase(await saveCase('half', image, half))).rejects.toThrow(/found 0\.5/);
  });

  it('refuses an image with NaN, naming the file', async () => {
    const file = path.join(folder, 'nan.nii');
    writeFileSync(file, niftiBytes({ type: 'float32', dims: [2, 1, 1], values: [1, Number.NaN] }));
    await expect(loadCase({ id: 'nan', image: file })).rejects.toThrow(/nan\.nii: voxel 1 .*found NaN/);
  });

  it('refuses contradicting options and labels of another size', () => {
    const { image } = scan();
    expect(() => prepareCase('x', image, undefined, { spacing: 1, size: 8 })).toThrow(
      'expected spacing or size',
    );
    const prepared = prepareCase('x', image, undefined, { size: 8 });
    expect(() => restoreLabels(new Uint8Array(3), prepared)).toThrow(
      'expected 512 voxels for shape 8x8x8, found 3',
    );
  });

  it('writes restored labels with the geometry of the input', async () => {
    const { image, labels } = scan();
    const prepared = await loadCase(await saveCase('out', image, labels), { size: 16 });
    const file = path.join(folder, 'prediction.nii.gz');
    await writeNifti(file, restoreLabels(prepared.labels ?? new Uint8Array(0), prepared));
    const written = await readScan(file);
    const input = await readScan(path.join(folder, 'out.nii.gz'));
    expect([written.shape, written.affine]).toEqual([input.shape, input.affine]);
  });
});

it('the window is clip(HU / 1024 + 0.5, 0, 1)', () => {
  const hu = Int16Array.from([-2000, -512, -256, 0, 512, 3071]);
  expect([...applyWindow(hu)]).toEqual([0, 0, 0.25, 0.5, 1, 1]);
  expect(applyWindow(hu, { lower: 0, upper: 100 })[3]).toBe(0);
  const own = Float32Array.from([512]);
  expect(applyWindow(own, paperWindow, own)).toBe(own);
});

it('makeVolume checks its parts', () => {
  expect(() => makeVolume(new Uint8Array(5), [1, 2, 3], scalingAffine([1, 1, 1]))).toThrow(
    'data: expected 6 voxels',
  );
  expect(() => makeVolume(new Uint8Array(0), [1, 0, 3], scalingAffine([1, 1, 1]))).toThrow(
    'positive whole numbers',
  );
  expect(() => makeVolume(new Uint8Array(1), [1, 1, 1], scalingAffine([1, 0, 1]))).toThrow('invertible');
});
