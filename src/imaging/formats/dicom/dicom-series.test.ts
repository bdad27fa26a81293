import { mkdtempSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  dicomBytes,
  EXPLICIT,
  type SliceFixture,
  writeSlices,
} from '../../../../test/imaging/dicom-fixture.ts';
import { temporaryFolder } from '../../../../test/imaging/nifti-fixture.ts';
import { ImagingError } from '../../volume/errors.ts';
import { orientationCode, toCanonical } from '../../volume/orientation.ts';
import type { Volume } from '../../volume/volume.ts';
import { readScan, readScanHeader } from '../scan.ts';

const root = temporaryFolder();
const folder = (slices: Readonly<Record<string, SliceFixture | Buffer>>) =>
  writeSlices(mkdtempSync(path.join(root, 'series-')), slices);

/** Slices at these heights (mm), each filled with its height. */
const stack = (heights: readonly number[], more: SliceFixture = {}) =>
  heights.map((z) => ({ position: [-10, -20, z], values: Array<number>(6).fill(z), ...more }));
/** As files of these names, in this order. */
const named = (slices: readonly SliceFixture[], names: readonly string[] = []) =>
  Object.fromEntries(slices.map((slice, n) => [names[n] ?? `image_${n + 1}.dcm`, slice]));

async function refused(dir: string, series?: string): Promise<string> {
  const error = await readScan(dir, { series }).then(
    () => 'nothing was refused',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ImagingError);
  return (error as ImagingError).message;
}

describe('a DICOM series', () => {
  it('is put in order by position, not by name or number, with the distance of positions', async () => {
    const heights = [7, 1, 4, -2];
    const names = ['image_10.dcm', 'image_2.dcm', 'a', 'z.dcm'];
    const slices = stack(heights).map((slice, n) => ({ ...slice, instance: n, thickness: 5 }));
    const scan = await readScan(folder(named(slices, names)));
    expect(scan.shape).toEqual([4, 2, 3]);
    expect([0, 6, 12, 18].map((n) => scan.data[n])).toEqual([-2, 1, 4, 7]);
    // LPS to RAS: columns 1 mm apart to the left, rows 2 mm apart to the back, slices 3 mm apart to the head.
    expect(scan.affine).toEqual([-1, 0, 0, 10, 0, -2, 0, 20, 0, 0, 3, -2, 0, 0, 0, 1]);
    expect(orientationCode(scan.affine)).toBe('LPS');
  });

  it('lies on the same anatomy whichever way its rows and slices run', async () => {
    // The same 2 x 2 x 2 mm voxels at (x, y, z) in 0..1, stored in three orientations; the value tells the place.
    const value = (x: number, y: number, z: number) => x + 10 * y + 100 * z;
    const cut = (along: readonly number[], down: readonly number[], start: readonly number[]) => {
      const normal = [0, 1, 2].map((n) => (along[n] === 0 && down[n] === 0 ? 1 : 0));
      return [0, 1].map((k): SliceFixture => {
        const at = (i: number, j: number) =>
          [0, 1, 2].map((n) => start[n] + i * along[n] + j * down[n] + k * normal[n]);
        const values = [0, 1].flatMap((j) =>
          [0, 1].map((i) => value(...(at(i, j) as [number, number, number]))),
        );
        const position = at(0, 0).map((n) => 2 * n);
        return { rows: 2, columns: 2, spacing: [2, 2], orientation: [...along, ...down], position, values };
      });
    };
    const scans: Volume[] = [];
    for (const slices of [
      cut([1, 0, 0], [0, 1, 0], [0, 0, 0]),
      cut([0, 1, 0], [0, 0, -1], [0, 0, 1]),
      cut([-1, 0, 0], [0, 0, 1], [1, 0, 0]),
    ])
      scans.push(toCanonical(await readScan(folder(named(slices)))).volume);
    expect([...scans[0].data]).toEqual([11, 10, 1, 0, 111, 110, 101, 100]);
    expect(scans[0].affine.slice(0, 4)).toEqual([2, 0, 0, -2]);
    for (const other of scans.slice(1)) {
      expect([...other.data]).toEqual([...scans[0].data]);
      other.affine.forEach((number, n) => {
        expect(number).toBeCloseTo(scans[0].affine[n], 9);
      });
    }
  });

  it.each<[string, SliceFixture, number[], string]>([
    ['signed 16 bits', { values: [-1024, -1, 0, 1, 2, 3000] }, [-1024, -1, 0, 1, 2, 3000], 'Int16Array'],
    [
      'unsigned 12 bits with overlay bits above, and CT scaling',
      { signed: false, bitsStored: 12, slope: 1, intercept: -1024, values: [0xf000, 0x0fff, 1024, 0, 1, 2] },
      [-1024, 3071, 0, -1024, -1023, -1022],
      'Int16Array',
    ],
    [
      'signed 12 bits whose sign bit is bit 11',
      { bitsStored: 12, signed: true, values: [0x0800, 0x07ff, 0, 1, 2, 3] },
      [-2048, 2047, 0, 1, 2, 3],
      'Int16Array',
    ],
    [
      '12 bits that are not the lowest',
      { signed: false, bitsStored: 12, highBit: 15, values: [0x10, 0xfff0, 0xf, 0x20, 0, 0] },
      [1, 4095, 0, 2, 0, 0],
      'Int16Array',
    ],
    ['8 bits', { bits: 8, signed: false, values: [0, 255, 1, 2, 3, 4] }, [0, 255, 1, 2, 3, 4], 'Uint8Array'],
    [
      'a broken slope',
      { slope: 0.5, intercept: 10, values: [0, 1, 2, 3, 4, -5] },
      [10, 10.5, 11, 11.5, 12, 7.5],
      'Float32Array',
    ],
    [
      'unsigned 32 bits',
      { bits: 32, signed: false, bitsStored: 24, values: [0, 1, 2 ** 24 - 1, 3, 4, 5] },
      [0, 1, 2 ** 24 - 1, 3, 4, 5],
      'Int32Array',
    ],
  ])('with %s', async (_, fixture, values, type) => {
    const { data } = await readScan(folder({ only: { ...fixture, thickness: 4 } }));
    expect([...data]).toEqual(values);
    expect(data.constructor.name).toBe(type);
  });

  it('scales each slice by its own slope and intercept', async () => {
    const slices = stack([0, 2]).map((slice, n) => ({
      ...slice,
      slope: n + 1,
      intercept: -n,
      values: [0, 1, 2, 3, 4, 5],
    }));
    const { data } = await readScan(folder(named(slices)));
    expect([...data]).toEqual([0, 1, 2, 3, 4, 5, -1, 1, 3, 5, 7, 9]);
  });

  it.each([
    ['implicit little endian', { syntax: '1.2.840.10008.1.2' }],
    ['explicit little endian', { syntax: EXPLICIT }],
    ['explicit big endian', { syntax: '1.2.840.10008.1.2.2' }],
    ['deflated', { syntax: '1.2.840.10008.1.2.1.99' }],
    ['no meta header, explicit', { bare: true }],
  ])('in %s', async (_, style) => {
    const slices = stack([0, 3, 6], { ...style, values: [-300, 1, 2, 3, 4, 500] });
    const { data } = await readScan(folder(named(slices)));
    expect([...data.subarray(12)]).toEqual([-300, 1, 2, 3, 4, 500]);
  });

  it('has slices of a lone file as thick as it says, for want of anything else', async () => {
    const { affine } = await readScanHeader(folder({ only: { thickness: 4 } }));
    expect(affine[10]).toBe(4);
  });

  it('is found among structure sets, reports, localizers, screen captures and other files', async () => {
    const slices = named(stack([0, 3, 6]));
    const dir = folder({
      ...slices,
      'rs.dcm': { modality: 'RTSTRUCT', series: '9.1', values: null },
      'dose.dcm': { modality: 'RTDOSE', series: '9.2', position: [0, 0, 1] },
      'scout.dcm': { imageType: 'ORIGINAL\\PRIMARY\\LOCALIZER', series: '9.3' },
      'capture.dcm': { series: '9.4', modality: 'OT', position: null },
      'notes.txt': Buffer.from('a text'),
      '.hidden.dcm': Buffer.from('not even this'),
    });
    expect((await readScan(dir)).shape).toEqual([3, 2, 3]);
  });

  it('is chosen by its UID where a folder holds several', async () => {
    const two = {
      a: stack([0, 3], { series: '1.1' }),
      b: stack([0, 2, 4], { series: '1.2', modality: 'MR' }),
    };
    const dir = folder({ ...named(two.a), ...named(two.b, ['x', 'y', 'z']) });
    const message = await refused(dir);
    expect(message).toMatch(/series: expected one, found 2: .*1\.1 \(CT, 2 files\)/);
    expect(message).toMatch(/1\.2 \(MR, 3 files\)/);
    expect((await readScan(dir, { series: '1.2' })).shape).toEqual([3, 2, 3]);
    expect(await refused(dir, '1.3')).toMatch(/series: expected "1\.3", found 1\.1/);
  });

  it('goes by its UID, number or description, or a part of that which no other has', async () => {
    const words = (number: string, description: string): SliceFixture => ({
      more: [
        [0x8, 0x103e, 'LO', Buffer.from(description)],
        [0x20, 0x11, 'IS', Buffer.from(number)],
      ],
    });
    const dir = folder({
      ...named(stack([0, 3], { series: '1.1', ...words('2', 'Abdomen soft') }), ['a1', 'a2']),
      ...named(stack([0, 2, 4], { series: '1.2', ...words('3', 'Abdomen lung 2') }), ['b1', 'b2', 'b3']),
      ...named(stack([0], { series: '1.4', ...words('4', 'Abdomen') }), ['c1']),
    });
    for (const [series, depth] of [
      ['3', 3],
      ['abdomen', 1],
      ['SOFT', 2],
      ['1.1', 2],
    ] as const)
      expect((await readScan(dir, { series })).shape[0]).toBe(depth);
    expect(await refused(dir, 'dome')).toMatch(
      /expected "dome", found 3 of this name: 1\.1 \(CT, number 2, Abdomen soft, 2 files\); 1\.2 \(CT, number 3/,
    );
    expect(await refused(dir, 'pelvis')).toMatch(/found 1\.1 .*Name one by its UID, its number/);
  });

  const three = stack([0, 3, 6]);
  it.each<[string, Readonly<Record<string, SliceFixture | Buffer>>, RegExp]>([
    [
      'a missing slice',
      named(stack([0, 3, 6, 12, 15])),
      /expected 3\.000 mm throughout, found 6\.000 mm from image_3\.dcm to image_4\.dcm \(1 missing slice\)/,
    ],
    ['uneven gaps', named(stack([0, 3, 6, 10])), /distance of slices: .*found 4\.000 mm/],
    [
      'a slice twice',
      named([...three, { ...three[1], values: [0, 0, 0, 0, 0, 1] }]),
      /image_4\.dcm: Image Position .*found .*image_2\.dcm at the same place/,
    ],
    [
      'another size',
      named([...three, ...stack([9], { columns: 2, values: [1, 2, 3, 4] })]),
      /image_4\.dcm: Columns x Rows: expected 3 x 2 .*found 2 x 2/,
    ],
    [
      'another orientation',
      named([...three.slice(0, 2), ...stack([9], { orientation: [0, 1, 0, 0, 0, 1] })]),
      /image_3\.dcm: Image Orientation/,
    ],
    ['another spacing', named([...three, ...stack([9], { spacing: [2, 2] })]), /image_4\.dcm: Pixel Spacing/],
    ['a gantry tilt', named([0, 1, 2].map((k) => ({ position: [0, k, 3 * k] }))), /leans by 18\.4 degrees/],
    [
      'a slice aside',
      named([{ position: [0, 0, 0] }, { position: [0.5, 0, 3] }, { position: [0, 0, 6] }]),
      /image_2\.dcm: .*0\.500 mm aside/,
    ],
    [
      'a slice without position',
      named([...three, { position: null }]),
      /image_4\.dcm: Image Position \(Patient\): expected 3 numbers, found nothing/,
    ],
    [
      'compressed pixels of a given length',
      named(stack([0, 3], { syntax: '1.2.840.10008.1.2.4.80' })),
      /Transfer Syntax: expected .*, found JPEG-LS Lossless \(1\.2\.840.*though pixels are of a given length/,
    ],
    [
      'an unknown syntax',
      named(stack([0], { syntax: '1.2.840.10008.1.2.4.999', packed: { fragments: [] } })),
      /found transfer syntax 1\.2\.840\.10008\.1\.2\.4\.999/,
    ],
    ['several frames in a file', named(stack([0], { frames: 7 })), /Number of Frames: expected 1, .*found 7/],
    ['colour', named(stack([0], { samples: 3 })), /Samples per Pixel: expected 1, found 3/],
    ['skewed axes', named(stack([0], { orientation: [1, 0, 0, 1, 0, 0] })), /two perpendicular unit vectors/],
    ['no spacing', named(stack([0], { spacing: [0, 1] })), /Pixel Spacing: expected two positive/],
    ['impossible bits', named(stack([0], { bitsStored: 12, highBit: 5 })), /Bits Stored, High Bit/],
    [
      'too few pixels',
      named(stack([0], { values: [1, 2] })),
      /Pixel Data: expected 12 bytes \(3 x 2\), found 4/,
    ],
    [
      'a text that calls itself a slice',
      { ...named(three), 'x.dcm': Buffer.from('text') },
      /x\.dcm: magic: expected "DICM"/,
    ],
    ['an empty slice', { ...named(three), 'x.dcm': Buffer.alloc(0) }, /x\.dcm: magic: .*found an empty file/],
    ['nothing', {}, /series: expected a series of slices, found none among 0 files/],
  ])('is refused with %s', async (_, slices, message) => {
    expect(await refused(folder(slices))).toMatch(message);
  });

  it('is refused where a file is cut short, wherever it is', async () => {
    const bytes = dicomBytes(three[2]);
    for (let length = 132; length < bytes.length; length += 7) {
      const dir = folder({ ...named(three.slice(0, 2)), 'image_3.dcm': bytes.subarray(0, length) });
      const message = await readScan(dir).then(
        ({ shape }) => `read ${shape}`,
        (error: unknown) => (error instanceof ImagingError ? 'refused' : String(error)),
      );
      // Cut before its pixels, and parsed to that end, a file is no slice: then it must not pass for a whole series.
      expect(`${length} ${message}`).toBe(`${length} refused`);
    }
  });

  it('never ends in anything but a scan or an ImagingError, whatever a byte says', async () => {
    const bytes = dicomBytes(three[2]);
    const dir = folder(named(three));
    let refusals = 0;
    for (let at = 128; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at] ^= 0xff;
      writeFileSync(path.join(dir, 'image_3.dcm'), changed);
      await readScan(dir).catch((error: unknown) => {
        if (!(error instanceof ImagingError)) throw error;
        refusals++;
      });
    }
    expect(refusals).toBeGreaterThan(50);
  });
});
