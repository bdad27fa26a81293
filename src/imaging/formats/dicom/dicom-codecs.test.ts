import { mkdtempSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type SliceFixture, writeSlices } from '../../../../test/imaging/dicom-fixture.ts';
import { temporaryFolder } from '../../../../test/imaging/nifti-fixture.ts';
import { ImagingError } from '../../volume/errors.ts';
import { readScan } from '../scan.ts';

interface Frame {
  readonly name: string;
  readonly syntax: string;
  readonly bits: 8 | 16;
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly lossless: boolean;
  readonly values: readonly number[];
  readonly frame: string;
}

const [rows, columns] = [10, 12];
const root = temporaryFolder();
const fixtures = path.join(import.meta.dirname, '../../../../test/fixtures/dicom-frames.json');
const frames = JSON.parse(readFileSync(fixtures, 'utf8')) as readonly Frame[];
const named = (name: string) => frames.find((frame) => frame.name === name)!;
const bytesOf = ({ frame }: Frame) => Buffer.from(frame, 'base64');

function sliceOf(frame: Frame, fragments = [bytesOf(frame)], more: SliceFixture = {}): SliceFixture {
  const { syntax, bits, bitsStored, signed } = frame;
  return { rows, columns, syntax, bits, bitsStored, signed, packed: { fragments }, ...more };
}

const read = (slice: SliceFixture) =>
  readScan(writeSlices(mkdtempSync(path.join(root, 'packed-')), { 'a.dcm': slice }));

const refused = (slice: SliceFixture): Promise<string> =>
  read(slice).then(
    () => 'nothing was refused',
    (error: unknown) => {
      expect(error).toBeInstanceOf(ImagingError);
      return (error as ImagingError).message;
    },
  );

describe('compressed pixels', () => {
  it.each(frames)('of $name are those that other programs give', async (frame) => {
    const { data } = await read(sliceOf(frame));
    // Cosine transforms may differ in their last bit.
    const most = frame.syntax.endsWith('.4.50') || frame.syntax.endsWith('.4.51') ? 1 : 0;
    expect(data.length).toBe(frame.values.length);
    expect(Math.max(...frame.values.map((value, n) => Math.abs(value - data[n])))).toBeLessThanOrEqual(most);
  });

  it('may lie in several fragments, with a table of offsets, scaled, with bits below those of the file', async () => {
    const frame = named('JPEG Lossless SV1');
    const bytes = bytesOf(frame);
    const fragments = [bytes.subarray(0, 60), bytes.subarray(60, 100), bytes.subarray(100)];
    const packed = { fragments, table: [0] };
    const { data } = await read(sliceOf(frame, [], { packed, slope: 2, intercept: -1000, bitsStored: 16 }));
    expect([...data]).toEqual(frame.values.map((value) => 2 * value - 1000));
  });

  it('are refused where they are cut short, of another size, of other bits, or of another kind', async () => {
    for (const frame of frames) {
      const cut = bytesOf(frame).subarray(0, bytesOf(frame).length - 20);
      expect(await refused(sliceOf(frame, [cut])), frame.name).toMatch(
        /a\.dcm: Pixel Data \(7FE0,0010\): expected a sound frame of .*, found .*\. The file is damaged/,
      );
      expect(await refused(sliceOf(frame, undefined, { rows: 11 })), frame.name).toMatch(/Pixel Data/);
    }
    const wide = named('JPEG Lossless SV4');
    expect(await refused(sliceOf(wide, undefined, { bits: 8, bitsStored: 8 }))).toMatch(
      /samples of \d+ bits, where the file allocates 8/,
    );
    expect(await refused(sliceOf(wide, [bytesOf(named('RLE'))]))).toMatch(/no start of a JPEG image/);
    expect(await refused(sliceOf(wide, []))).toMatch(/expected compressed pixels, found none/);
    expect(await refused(sliceOf(wide, undefined, { highBit: 13 }))).toMatch(/High Bit/);
    const progressive = Buffer.from(bytesOf(wide));
    progressive[progressive.indexOf(Buffer.from([0xff, 0xc3])) + 1] = 0xc2;
    expect(await refused(sliceOf(wide, [progressive]))).toMatch(/found a progressive JPEG image/);
  });

  it('are read after a frame that was refused', async () => {
    const frame = named('JPEG 2000 Lossless');
    await refused(sliceOf(frame, [bytesOf(frame).subarray(0, 100)]));
    expect([...(await read(sliceOf(frame))).data]).toEqual(frame.values);
  });

  it('are refused by name where no decoder knows them', async () => {
    const frame = { ...named('RLE'), syntax: '1.2.840.10008.1.2.4.110' };
    expect(await refused(sliceOf(frame))).toMatch(
      /found JPEG XL Lossless \(1\.2\.840\.10008\.1\.2\.4\.110\)/,
    );
  });
});
