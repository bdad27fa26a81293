import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { dicomBytes } from '../../../test/imaging/dicom-fixture.ts';
import { niftiBytes } from '../../../test/imaging/nifti-fixture.ts';
import {
  inRas,
  int16,
  little,
  lps,
  metaHead,
  nrrdHead,
  refused,
  root,
  save,
  short,
  upright,
  values,
} from '../../../test/imaging/text-header-fixture.ts';
import { ImagingError } from '../volume/errors.ts';
import { toCanonical } from '../volume/orientation.ts';
import type { Volume } from '../volume/volume.ts';
import { readScan } from './scan.ts';

describe('readScan', () => {
  it('gives the same anatomy from every format', async () => {
    const series = path.join(root, 'series');
    mkdirSync(series);
    [0, 1].forEach((k) => {
      const fixture = {
        position: [10, 20, 30 + 3 * k],
        spacing: [2, 1],
        values: values.slice(6 * k, 6 * k + 6),
      };
      writeFileSync(path.join(series, `${1 - k}.dcm`), dicomBytes(fixture));
    });
    const sform = inRas.slice(0, 12);
    const scans: Volume[] = [];
    for (const file of [
      save('.nii', niftiBytes({ values, sform })),
      save('.nrrd', nrrdHead([...little, ...lps]), '\n', int16),
      save('.mha', metaHead([...short, upright]), int16),
      series,
    ])
      scans.push(toCanonical(await readScan(file)).volume);
    for (const { data, shape, affine } of scans) {
      expect([...data]).toEqual([...scans[0].data]);
      expect(shape).toEqual([2, 2, 3]);
      expect(affine).toEqual(scans[0].affine);
    }
  });

  it('says what a file or folder of another kind is', async () => {
    const nothing = /This is not a NIfTI file/;
    expect(await refused(save('.png', 'some picture'))).toMatch(nothing);
    expect(await refused(save('.nii', Buffer.from('\x89PNG\r\n', 'latin1')))).toMatch(/found a PNG picture/);
    expect(await refused(save('.dat', 'II*\0rest'))).toMatch(/found a TIFF picture\. Convert it/);
    expect(await refused(save('.tif', 'II*\0rest'))).toMatch(/directory at byte .*The file is cut short/);
    expect(await refused(save('.npy', Buffer.from('\x93NUMPY', 'latin1')))).toMatch(/found a NumPy array/);
    expect(await refused(save('.nii.gz', ''))).toMatch(/found an empty file/);
    const packed = gzipSync(`${nrrdHead([...little, ...lps])}\n`);
    expect(await refused(save('.nrrd.gz', packed))).toMatch(
      /found an NRRD file that is packed by gzip\. Unpack/,
    );
    expect(await refused(save('.nii', '<!DOCTYPE html><html>'))).toMatch(/XML or HTML/);
    expect(await refused(path.join(root, 'nowhere'))).toMatch(
      /nowhere: path: expected a file, found nothing/,
    );
    const folder = path.join(mkdtempSync(path.join(root, 'f-')), 'x.nii.gz');
    mkdirSync(folder);
    expect(await refused(folder)).toMatch(/found an empty folder, though its name ends in \.nii\.gz/);
    writeFileSync(path.join(folder, 'x.nii.gz'), niftiBytes({}));
    expect(await refused(folder)).toMatch(/found a folder, though .* with x\.nii\.gz\. Give a file in it/);
    const store = mkdtempSync(path.join(root, 'store-'));
    writeFileSync(path.join(store, 'zarr.json'), '{}');
    expect(await refused(store)).toMatch(/found a Zarr store of version 3/);
  });

  it('refuses values that are not finite once they are scaled, in every format', async () => {
    const doubles = (...of: number[]) =>
      Buffer.from(Float64Array.from({ length: 12 }, (_, n) => of[n] ?? 0).buffer);
    const infinite = /voxel 2 \(counted in file order\): expected a finite number, found -?(Infinity|NaN)/;
    const head = ['type: double', 'endian: little', 'encoding: raw', ...lps];
    for (const bad of [1e300, -1e39, Number.NaN, Number.NEGATIVE_INFINITY]) {
      expect(await refused(save('.nrrd', nrrdHead(head), '\n', doubles(0, 1, bad)))).toMatch(infinite);
      const meta = metaHead(['ElementType = MET_DOUBLE']);
      expect(await refused(save('.mha', meta, doubles(0, 1, bad)))).toMatch(infinite);
    }
    const nifti = niftiBytes({ values: [0, 1, 200, ...Array<number>(9).fill(1)], slope: 3e36 });
    expect(await refused(save('.nii', nifti))).toMatch(infinite);
    const file = save('.nrrd', nrrdHead(head), '\n', doubles(0, 1, 1e300));
    expect((await readScan(file, { as: 'float64' })).data[2]).toBe(1e300);
    expect((await readScan(file, { nonFinite: 'keep' })).data[2]).toBe(Number.POSITIVE_INFINITY);
  });

  it('says what is absurd of a header', async () => {
    const sized = (mm: number) => save('.nii', niftiBytes({ pixdim: [1, mm, mm, mm] }));
    expect(await refused(sized(700))).toMatch(
      /voxel size \(.*xyzt_units\): expected 0\.001 to 100 mm along each axis, found 700 x 700 x 700 mm/,
    );
    expect(await refused(sized(1e30))).toMatch(/found 1e\+30 x/);
    expect(await refused(sized(1e-6))).toMatch(/found 0\.000001/);
    const whole = save('.nrrd', nrrdHead([...little, ...lps]), '\n', int16);
    await expect(readScan(whole, { volume: 1 })).rejects.toThrow('volume: expected 0, the only one, found 1');
    const far = nrrdHead([...little, ...lps, 'space origin: (0,0,1e9)']);
    expect(await refused(save('.nrrd', far, '\n', int16))).toMatch(/origin: expected at most 1 km/);
    expect((await readScan(sized(0.02))).affine[0]).toBeCloseTo(-0.02, 6);
  });

  it('never ends in anything but a scan or an ImagingError, whatever a byte of a text header says', async () => {
    const nrrd = Buffer.concat([Buffer.from(`${nrrdHead([...little, ...lps])}\n`), int16]);
    const meta = Buffer.concat([Buffer.from(metaHead([...short, upright])), int16]);
    let refusals = 0;
    for (const [ending, bytes] of [
      ['.nrrd', nrrd],
      ['.mha', meta],
    ] as const) {
      for (let at = 0; at < bytes.length - int16.length; at++) {
        const changed = Buffer.from(bytes);
        changed[at] = 48 + (at % 10);
        const file = path.join(root, `changed${ending}`);
        writeFileSync(file, changed);
        await readScan(file).catch((error: unknown) => {
          if (!(error instanceof ImagingError)) throw error;
          refusals++;
        });
      }
    }
    expect(refusals).toBeGreaterThan(100);
  });
});
