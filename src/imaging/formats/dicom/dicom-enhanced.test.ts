import { mkdtempSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  BIG,
  DEFLATED,
  IMPLICIT,
  type SliceFixture,
  writeSlices,
} from '../../../../test/imaging/dicom-fixture.ts';
import {
  contentGroup,
  type Elements,
  type EnhancedFixture,
  enhancedBytes,
  items,
  measuresGroup,
  orientationGroup,
  positionGroup,
  valuesGroup,
} from '../../../../test/imaging/enhanced-fixture.ts';
import { temporaryFolder } from '../../../../test/imaging/nifti-fixture.ts';
import { ImagingError } from '../../volume/errors.ts';
import { diskFiles } from '../disk-files.ts';
import { readScan } from '../scan.ts';
import { stackOfFolder } from './dicom-series.ts';

const root = temporaryFolder();
const folder = (files: Readonly<Record<string, SliceFixture | Buffer>>) =>
  writeSlices(mkdtempSync(path.join(root, 'enhanced-')), files);

const heights = [3, -3, 0];
const pixels = 6;
/** Frames out of order, each filled with numbers of its own. */
const stored = heights.flatMap((_, n) => Array.from({ length: pixels }, (_, i) => 10 * n + i));

function image(more: Partial<EnhancedFixture> = {}): EnhancedFixture {
  return {
    shared: [orientationGroup(), measuresGroup(), valuesGroup(2, -1000)],
    own: heights.map((z, n) => [positionGroup([-10, -20, z]), contentGroup(1, n + 1)]),
    values: stored,
    ...more,
  };
}

/** The same as single slices. */
const classic = heights.map((z, n) => ({
  ...{ position: [-10, -20, z], spacing: [2, 1], slope: 2, intercept: -1000 },
  values: stored.slice(n * pixels, (n + 1) * pixels),
}));

const read = (more: Partial<EnhancedFixture> = {}) =>
  readScan(folder({ 'a.dcm': enhancedBytes(image(more)) }));

async function refused(more: Partial<EnhancedFixture> | Readonly<Record<string, Buffer>>): Promise<string> {
  const isFiles = Object.values(more).every((value) => Buffer.isBuffer(value));
  const files = isFiles
    ? (more as Record<string, Buffer>)
    : { 'a.dcm': enhancedBytes(image(more as object)) };
  const error = await readScan(folder(files)).then(
    () => 'nothing was refused',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ImagingError);
  return (error as ImagingError).message;
}

const ownWith = (extra: (n: number) => Elements): Elements[] =>
  heights.map((z, n) => [positionGroup([-10, -20, z]), ...extra(n)]);

describe('an enhanced image', () => {
  it.each([
    ['explicit little endian', {}],
    ['implicit', { syntax: IMPLICIT }],
    ['big endian', { syntax: BIG }],
  ])('is the volume of the same slices in files of their own, %s', async (_, more) => {
    const expected = await readScan(
      folder(Object.fromEntries(classic.map((slice, n) => [`${n}.dcm`, slice]))),
    );
    const own = heights.map((z): Elements => [positionGroup([-10, -20, z])]);
    const scan = await read({ own, ...more });
    expect([...scan.data]).toEqual([...expected.data]);
    expect(scan.affine).toEqual(expected.affine);
    expect(scan.header.type).toBe(expected.header.type);
  });

  it('takes what each frame says of itself: orientation, spacing and scaling', async () => {
    const slopes = [1, 2, 0.5];
    const own = ownWith((n) => [
      ...[orientationGroup(), measuresGroup([2, 1], 3), valuesGroup(slopes[n], 10 * n)],
      [0x00289132, 'SQ', items([[0x00281050, 'DS', '40']])],
      [0x20050140, 'SQ', items([[0x20050010, 'LO', 'a manufacturer']])],
    ]);
    const { data } = await read({ shared: [], own });
    const values = (n: number) =>
      stored.slice(n * pixels, (n + 1) * pixels).map((v) => v * slopes[n] + 10 * n);
    expect([...data]).toEqual([...values(1), ...values(2), ...values(0)]);
  });

  it('may be compressed, a frame at a time, and lie in several files', async () => {
    const fixtures = path.join(import.meta.dirname, '../../../../test/fixtures/dicom-frames.json');
    const frames = JSON.parse(readFileSync(fixtures, 'utf8')) as readonly {
      readonly name: string;
      readonly syntax: string;
      readonly bits: 8 | 16;
      readonly bitsStored: number;
      readonly signed: boolean;
      readonly values: readonly number[];
      readonly frame: string;
    }[];
    const { syntax, bits, bitsStored, signed, values, frame } = frames.find(
      ({ name }) => name === 'JPEG Lossless SV1',
    )!;
    const bytes = Buffer.from(frame, 'base64');
    const half = 2 * Math.floor(bytes.length / 4);
    // Two frames in two fragments each, behind a table of their offsets.
    const fragments = [0, 1].flatMap(() => [bytes.subarray(0, half), bytes.subarray(half)]);
    const packed = { fragments, table: [0, bytes.length + 16] };
    const part = (at: readonly number[]) =>
      enhancedBytes(
        image({
          ...{ syntax, bits, bitsStored, signed, packed, rows: 10, columns: 12 },
          shared: [orientationGroup(), measuresGroup()],
          own: at.map((z) => [positionGroup([0, 0, z])]),
        }),
      );
    const scan = await readScan(folder({ 'a.dcm': part([0, 2]), 'b.dcm': part([1, 3]) }));
    expect(scan.shape).toEqual([4, 10, 12]);
    expect([...scan.data]).toEqual([...values, ...values, ...values, ...values]);
    // What a segmentation refers to: files, and frames of them.
    const dir = folder({ 'a.dcm': part([0, 2]), 'b.dcm': part([1, 3]) });
    const { ordered } = await stackOfFolder(diskFiles, dir);
    expect(ordered.map(({ file, frame }) => `${path.basename(file)} ${frame}`)).toEqual([
      ...['a.dcm 1', 'b.dcm 1', 'a.dcm 2', 'b.dcm 2'],
    ]);
  });

  it('is refused with attributes that are not read, by name', async () => {
    const sequence: Elements = [[0x00189363, 'SQ', items([[0x00181000, 'LO', 'x']])]];
    expect(await refused({ own: ownWith(() => sequence) })).toContain('Functional group (0018,9363)');
    expect(await refused({ shared: [...image().shared, [0x00189363, 'SQ', items([])]] })).toContain(
      '(0018,9363)',
    );
    const twice = { own: ownWith(() => [valuesGroup(1, 0)]) };
    expect(await refused(twice)).toContain(
      'Pixel Value Transformation Sequence (0028,9145): expected one, found 2',
    );
    const outside: Elements = [[0x00281053, 'DS', '3']];
    expect(await refused({ more: outside })).toContain('Rescale Slope outside of functional groups');
    expect(await refused({ sopClass: '1.2.840.10008.5.1.4.1.1.12.1.1' })).toContain('SOP Class UID');
    const double = (value: number) => {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value);
      return bytes;
    };
    const mapping = (slope: number): Elements => [
      [
        0x00409096,
        'SQ',
        items([
          [0x00409224, 'FD', double(-1000)],
          [0x00409225, 'FD', double(slope)],
        ]),
      ],
    ];
    expect((await read({ own: ownWith(() => mapping(2)) })).data.length).toBe(18);
    expect(await refused({ own: ownWith(() => mapping(2.5)) })).toContain(
      'Real World Value Mapping of frame 1: expected the values of Rescale Slope and Intercept (2, -1000), found 2.5, -1000',
    );
  });

  it('is refused where it holds several volumes, or frames of several kinds, or no volume', async () => {
    const own = [0, 0, 1, 1].map(
      (z, n): Elements => [positionGroup([0, 0, z]), contentGroup(1, 1 + (n % 2))],
    );
    const index = (pointer: number) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt16LE(pointer >>> 16);
      bytes.writeUInt16LE(pointer & 0xffff, 2);
      return [[0x00209165, 'AT', bytes]] as Elements;
    };
    const dimensions: Elements = [[0x00209222, 'SQ', items(index(0x00209056), index(0x00209128))]];
    const values = Array.from({ length: 24 }, (_, n) => n);
    expect(await refused({ own, values, more: dimensions })).toContain(
      'volume: expected one, found 2: 0 (Temporal Position Index 1, 2 slices); 1 (Temporal Position Index 2, 2 slices)',
    );
    const kind = (n: number): Elements => [
      [0x00189226, 'SQ', items([[0x00089007, 'CS', `ORIGINAL\\PRIMARY\\M${n > 1 ? 'IP' : ''}\\NONE`]])],
    ];
    expect(await refused({ own: ownWith(kind) })).toContain(
      '2: 0 (ORIGINAL\\PRIMARY\\M\\NONE, HU, 2 slices); 1 (ORIGINAL\\PRIMARY\\MIP\\NONE, HU, 1 slice)',
    );
    const turned = ownWith((n) => [orientationGroup(n === 2 ? [0, 1, 0, 0, 0, 1] : undefined)]);
    expect(await refused({ shared: [measuresGroup()], own: turned })).toContain(
      '2: 0 (stack 1, 2 slices); 1 (stack 2, 1 slice)',
    );
    const untold = own.map(([position]): Elements => [position]);
    expect(await refused({ own: untold, values })).toContain('one slice at each place');
    expect(await refused({ shared: [measuresGroup()] })).toContain('Plane Orientation Sequence (0020,9116)');
    expect(await refused({ own: [...image().own].slice(1), frames: 3 })).toContain('groups of 3 frames');
    const nan = [positionGroup([0, 0, Number.NaN]), positionGroup([0, 0, 1]), positionGroup([0, 0, 2])];
    expect(await refused({ own: nan.map((group) => [group]) })).toContain(
      'Image Position (Patient) of frame 1',
    );
    const gap = [0, 1, 3, 4].map((z): Elements => [positionGroup([0, 0, z])]);
    expect(await refused({ own: gap, values })).toContain('(frame 2) to a.dcm (frame 3) (1 missing slice)');
  });

  it('gives one of its volumes by number, by whatever frames at one place differ', async () => {
    const float = (value: number) => {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value);
      return bytes;
    };
    // Two values of b, as Philips and Siemens write them, in frames that are out of order.
    const frames = [1000, 0].flatMap((b) => [2, 0, 1].map((z) => ({ b, z })));
    const own = frames.map(
      ({ b, z }): Elements => [
        positionGroup([0, 0, z]),
        [0x00189117, 'SQ', items([[0x00189087, 'FD', float(b)]])],
        valuesGroup(b === 0 ? 1 : 10, z),
      ],
    );
    const values = frames.flatMap(({ b, z }) => Array(pixels).fill(b === 0 ? z + 1 : z + 11));
    const file = folder({
      'a.dcm': enhancedBytes(image({ shared: [orientationGroup(), measuresGroup()], own, values })),
    });
    const [first, second] = await Promise.all([0, 1].map((volume) => readScan(file, { volume })));
    expect([0, 1, 2].map((z) => first.data[z * pixels])).toEqual([1, 3, 5]);
    expect([0, 1, 2].map((z) => second.data[z * pixels])).toEqual([110, 121, 132]);
    expect(second.affine).toEqual(first.affine);
    await expect(readScan(file)).rejects.toThrow(
      '2: 0 (Diffusion b-value 0, 3 slices); 1 (Diffusion b-value 1000, 3 slices)',
    );
    await expect(readScan(file, { volume: 2 })).rejects.toThrow('volume: expected one of 0 (Diffusion');
  });

  it('takes what it says outside of functional groups where these lack it, and what they say twice', async () => {
    const [expected, outside, twice] = [
      await read(),
      await read({
        shared: [measuresGroup()],
        more: [
          [0x00200037, 'DS', '1\\0\\0\\0\\1\\0'],
          [0x00281052, 'DS', '-1000'],
          [0x00281053, 'DS', '2'],
        ],
      }),
      await read({ own: ownWith(() => [valuesGroup(2, -1000), measuresGroup()]) }),
    ];
    for (const scan of [outside, twice]) {
      expect([...scan.data]).toEqual([...expected.data]);
      expect(scan.affine).toEqual(expected.affine);
    }
  });

  it('is refused where pixels or parts are missing', async () => {
    expect(await refused({ values: stored.slice(1) })).toContain('36 bytes (3 frames of 3 x 2), found 34');
    expect(await refused({ syntax: DEFLATED })).toContain('all frames deflated together');
    const part = Buffer.from([2, 0]);
    const parts: Elements = [
      [0x00209161, 'UI', '1.2.9'],
      [0x00209162, 'US', Buffer.from([1, 0])],
      [0x00209163, 'US', part],
    ];
    expect(await refused({ more: parts })).toContain(
      'Concatenation UID: expected all 2 parts of the image, found 1',
    );
  });
});
