import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { dicomBytes } from '../../test/imaging/dicom-fixture.ts';
import { niftiBytes } from '../../test/imaging/nifti-fixture.ts';
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
} from '../../test/imaging/text-header-fixture.ts';
import { ImagingError } from './errors.ts';
import { toCanonical } from './orientation.ts';
import { readScan } from './scan.ts';
import type { Volume } from './volume.ts';

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

  it('says what a lone file of DICOM needs, and what a file of another kind is not', async () => {
    expect(await refused(save('.dcm', dicomBytes()))).toMatch(/Give the folder that holds all files/);
    expect(await refused(save('.png', 'some picture'))).toMatch(/This is not a NIfTI file/);
    expect(await refused(path.join(root, 'nowhere'))).toMatch(
      /nowhere: path: expected a file, found nothing/,
    );
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
