import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { dicomBytes, type SliceFixture, writeSlices } from '../../../../test/imaging/dicom-fixture.ts';
import { temporaryFolder } from '../../../../test/imaging/nifti-fixture.ts';
import { ImagingError } from '../../volume/errors.ts';
import { readScan, readScanHeader } from '../scan.ts';

const root = temporaryFolder();
const folder = (slices: Readonly<Record<string, SliceFixture | Buffer>>) =>
  writeSlices(mkdtempSync(path.join(root, 'series-')), slices);

/** Slices of 3 x 2 pixels at these heights (mm), each filled with its height. */
const stack = (heights: readonly number[], more: SliceFixture = {}) =>
  Object.fromEntries(
    heights.map((z) => [
      `s${z}.dcm`,
      { position: [-10, -20, z], values: Array<number>(6).fill(z), ...more } satisfies SliceFixture,
    ]),
  );
const sagittal = [0, 1, 0, 0, 0, -1];
const deflated = '1.2.840.10008.1.2.1.99';

async function refused(file: string): Promise<string> {
  const error = await readScan(file).then(
    () => 'nothing was refused',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ImagingError);
  return (error as ImagingError).message;
}

describe('what lies beside the slices of a series', () => {
  it('is left out with a note where it is a copy of a slice, in whatever syntax', async () => {
    const [one] = Object.values(stack([3]));
    const dir = folder({ ...stack([0, 3, 6]), 'x.dcm': one, 'y.dcm': { ...one, syntax: deflated } });
    const { shape, data, header } = await readScan(dir);
    expect(shape).toEqual([3, 2, 3]);
    expect([data[0], data[6], data[12]]).toEqual([0, 3, 6]);
    expect(header.notes).toEqual(['2 identical copies (x.dcm, y.dcm) left out']);
  });

  it('is refused where it lies at the place of a slice and differs in one value or its scaling', async () => {
    const [one] = Object.values(stack([3]));
    expect(await refused(folder({ ...stack([0, 3, 6]), 'x.dcm': { ...one, intercept: 1 } }))).toMatch(
      /at the same place/,
    );
  });

  it('is left out with a note where it is a scout, marked or not, in the same series or one of its own', async () => {
    const scout: SliceFixture = { orientation: sagittal, rows: 3, columns: 2 };
    for (const more of [
      scout,
      { ...scout, series: '9' },
      { ...scout, spacing: null },
      { ...scout, spacing: null, series: '9' },
      { ...scout, imageType: 'ORIGINAL\\PRIMARY\\LOCALIZER' },
    ]) {
      const { shape, notes } = await readScanHeader(folder({ 'a.dcm': more, ...stack([0, 3, 6]) }));
      expect(shape).toEqual([3, 2, 3]);
      expect(notes).toHaveLength(1);
      expect(notes?.[0]).toMatch(/\(a\.dcm\).* left out/);
    }
    const far: SliceFixture = { position: [0, 0, 300], spacing: [1, 1] };
    expect((await readScanHeader(folder({ 'a.dcm': far, ...stack([0, 3, 6]) }))).shape).toEqual([3, 2, 3]);
  });

  it('is refused where it may be a slice, or as many as the others', async () => {
    const unmeasured = { spacing: null, rows: 3, columns: 2 };
    expect(await refused(folder({ 'x.dcm': unmeasured, ...stack([0, 3, 6]) }))).toMatch(
      /x\.dcm: Pixel Spacing/,
    );
    const many = stack([100, 103, 106, 109], { orientation: sagittal, spacing: null });
    expect(await refused(folder({ ...stack([0, 3, 6]), ...many }))).toMatch(/Pixel Spacing/);
    const next = { position: [-10, -20, 9], rows: 3, columns: 2 };
    expect(await refused(folder({ 'x.dcm': next, ...stack([0, 3, 6]) }))).toMatch(/Columns x Rows/);
    const turned = stack([100, 103, 106], { orientation: sagittal });
    expect(await refused(folder({ ...stack([0, 3, 6]), ...turned }))).toMatch(/Image Orientation/);
    const second = stack([100, 103], { series: '9' });
    expect(await refused(folder({ ...stack([0, 3, 6, 9, 12, 15]), ...second }))).toMatch(
      /series: expected one/,
    );
  });

  it('is refused, though it reads well, where attributes of frames say more', async () => {
    for (const number of [0x9229, 0x9230]) {
      const more = [[0x5200, number, 'SQ', Buffer.alloc(0)]] as const;
      expect(await refused(folder(stack([0, 3, 6], { more })))).toMatch(
        /SOP Class UID: .*functional groups.*dcm2niix/,
      );
    }
  });
});

describe('a series that is named otherwise', () => {
  it('is that of a single file, or one slice where there are no others', async () => {
    const dir = folder({ ...stack([0, 3, 6]), ...stack([100, 104], { series: '9' }) });
    const { shape, notes, file } = await readScanHeader(path.join(dir, 's3.dcm'));
    expect([shape[0], file]).toEqual([3, path.join(dir, 's3.dcm')]);
    expect(notes).toEqual(['read with the other 2 files of its series in the same folder']);
    const lone = await readScanHeader(path.join(folder(stack([5])), 's5.dcm'));
    expect([lone.shape, lone.notes?.[0]]).toEqual([[1, 2, 3], expect.stringMatching(/one slice/)]);
  });

  it('lies in the folders of a disc', async () => {
    const disc = folder({ DICOMDIR: dicomBytes({ storageClass: '1.2.840.10008.1.3.10', values: null }) });
    const inner = path.join(disc, 'DICOM', 'ST0');
    mkdirSync(inner, { recursive: true });
    writeSlices(path.join(inner, 'SE0'), stack([0, 3, 6]));
    for (const given of [disc, path.join(disc, 'DICOMDIR'), path.join(disc, 'DICOM')])
      expect((await readScanHeader(given)).shape).toEqual([3, 2, 3]);
    writeSlices(path.join(inner, 'SE1'), stack([0, 4], { series: '9' }));
    expect(await refused(disc)).toMatch(/series: expected one, found 2: .*--series/);
    expect((await readScanHeader(disc, { series: '9' })).shape).toEqual([2, 2, 3]);
  });
});

describe('values and sizes of a series', () => {
  it('are refused where a slope makes them infinite', async () => {
    const dir = folder(stack([0, 3, 6], { slope: 1e300, intercept: 1e300 }));
    expect(await refused(dir)).toMatch(/s0\.dcm: voxel 0 .*expected a finite number, found Infinity/);
  });

  it('take no more room than the pixels need, whatever a deflated file unpacks to', async () => {
    const bomb = [[0x29, 0x1010, 'OB', Buffer.alloc(6 << 20)]] as const;
    expect(await refused(folder(stack([0, 3, 6], { syntax: deflated, more: bomb })))).toMatch(
      /data set: .*no pixels in the first 4194304 bytes that it unpacks to/,
    );
    const long = [[0x29, 0x1010, 'OB', Buffer.alloc(1 << 20, 1)]] as const;
    const { data } = await readScan(folder(stack([0, 3, 6], { syntax: deflated, more: long })));
    expect([data[0], data[6], data[12]]).toEqual([0, 3, 6]);
  });

  it('are refused by the name of the file where the parser throws a text', async () => {
    const bytes = dicomBytes({ position: [0, 0, 0] });
    // The length of Image Type, which is read as text, beyond the end of the file.
    for (let at = 132; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(0xff, at);
      const dir = mkdtempSync(path.join(root, 'thrown-'));
      writeFileSync(path.join(dir, 'a.dcm'), changed);
      await readScan(dir).catch((error: unknown) => expect(error).toBeInstanceOf(ImagingError));
    }
  });
});
