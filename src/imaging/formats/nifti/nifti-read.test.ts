import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Fixture,
  type FixtureType,
  niftiBytes,
  niftiParts,
  temporaryFolder,
} from '../../../../test/imaging/nifti-fixture.ts';
import { ImagingError } from '../../volume/errors.ts';
import type { ScanReadOptions } from '../../volume/scan-types.ts';
import { readScan, readScanHeader } from '../scan.ts';
import { parseHeader } from './nifti-header.ts';

const folder = temporaryFolder();
let files = 0;

function save(bytes: Buffer, suffix = '.nii'): string {
  const file = path.join(folder, `file${files++}${suffix}`);
  writeFileSync(file, bytes);
  return file;
}

async function problem(file: string, options?: ScanReadOptions): Promise<ImagingError> {
  const error = await readScan(file, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ImagingError);
  return error as ImagingError;
}

const problemOf = (fixture: Fixture, options?: ScanReadOptions) =>
  problem(save(niftiBytes(fixture)), options);

describe('element types', () => {
  const samples: Record<string, { values: number[]; array: string }> = {
    int8: { values: [-128, 0, 127, 5], array: 'Int8Array' },
    uint8: { values: [0, 255, 7, 1], array: 'Uint8Array' },
    int16: { values: [-32768, -1024, 3071, 32767], array: 'Int16Array' },
    uint16: { values: [0, 65535, 4, 1000], array: 'Uint16Array' },
    int32: { values: [-(2 ** 31), 2 ** 31 - 1, 0, -7], array: 'Int32Array' },
    uint32: { values: [2 ** 32 - 1, 0, 5, 70000], array: 'Uint32Array' },
    int64: { values: [-(2 ** 31), 2 ** 31 - 1, -1, 3], array: 'Int32Array' },
    uint64: { values: [2 ** 32 - 1, 0, 1, 9], array: 'Uint32Array' },
    float32: { values: [-0.5, 1.25, 1e20, 0], array: 'Float32Array' },
    float64: { values: [-0.5, 1.25, 2 ** 40, 0], array: 'Float32Array' },
  };
  for (const [type, { values, array }] of Object.entries(samples)) {
    it.each([
      { version: 1, little: true },
      { version: 1, little: false },
      { version: 2, little: true },
      { version: 2, little: false },
    ] as const)(`${type} %o`, async (kind) => {
      const bytes = niftiBytes({ ...kind, type: type as FixtureType, dims: [2, 2, 1], values });
      for (const file of [save(bytes), save(gzipSync(bytes), '.nii.gz')]) {
        const volume = await readScan(file);
        expect(volume.data.constructor.name).toBe(array);
        expect([...volume.data]).toEqual(values.map((v) => (array === 'Float32Array' ? Math.fround(v) : v)));
        expect(volume.shape).toEqual([1, 2, 2]);
      }
    });
  }

  it('reads long integers and doubles in full as float64', async () => {
    const long = [-(2 ** 40), 2 ** 50 + 1];
    const read = await readScan(save(niftiBytes({ type: 'int64', dims: [2], values: long })), {
      as: 'float64',
    });
    expect([...read.data]).toEqual(long);
    const error = await problemOf({ type: 'int64', dims: [2], values: long });
    expect(error.message).toContain(
      'voxel 0: expected int64 values that fit in 32 bits, found -1099511627776',
    );
  });

  it('applies slope and intercept, and takes slope 0 and NaN as none', async () => {
    const fixture: Fixture = { dims: [2, 1, 1], values: [10, -20], intercept: -1024 };
    const scaled = await readScan(save(niftiBytes({ ...fixture, slope: 0.5 })));
    expect(scaled.data).toEqual(new Float32Array([-1019, -1034]));
    for (const slope of [0, Number.NaN]) {
      expect((await readScan(save(niftiBytes({ ...fixture, slope })))).data).toEqual(
        new Int16Array([10, -20]),
      );
    }
  });

  it('reads files longer than its pieces', async () => {
    const values = Array.from({ length: 210_000 }, (_, n) => (n * 7) % 30000);
    const bytes = niftiBytes({ dims: [70, 60, 50], values, little: false });
    expect([...(await readScan(save(gzipSync(bytes)))).data]).toEqual(values);
  });
});

describe('geometry', () => {
  const sform = [0, 0, 3, 10, -2, 0, 0, 20, 0, 1.5, 0, -30];
  // A turn by 90 degrees about z, voxels of 2 x 3 x 4 mm.
  const qform = { bcd: [0, 0, Math.SQRT1_2], offset: [5, 6, 7] };

  it('prefers the sform, then the qform, then voxel sizes', async () => {
    const pixdim = [-1, 2, 3, 4];
    const both = await readScan(save(niftiBytes({ sform, qform, pixdim })));
    expect(both.affine).toEqual([...sform, 0, 0, 0, 1]);
    expect(both.header.oriented).toBe(true);
    const turned = await readScan(save(niftiBytes({ qform, pixdim })));
    const expected = [0, -3, 0, 5, 2, 0, 0, 6, 0, 0, -4, 7, 0, 0, 0, 1];
    turned.affine.forEach((value, n) => {
      expect(value).toBeCloseTo(expected[n], 5);
    });
    const plain = await readScan(save(niftiBytes({ pixdim, dims: [3, 2, 2] })));
    expect(plain.header.oriented).toBe(false);
    expect(plain.affine).toEqual([-2, 0, 0, 2, 0, 3, 0, -1.5, 0, 0, 4, -2, 0, 0, 0, 1]);
  });

  it('turns metres and micrometres into millimetres', async () => {
    const metres = sform.map((value) => value / 1000);
    const read = await readScan(save(niftiBytes({ version: 2, sform: metres, units: 1 })));
    read.affine.slice(0, 12).forEach((value, n) => {
      expect(value).toBeCloseTo(sform[n], 9);
    });
  });

  it('refuses a singular affine and a voxel size of 0', async () => {
    expect((await problemOf({ sform: new Array(12).fill(0) })).field).toBe('sform');
    expect((await problemOf({ pixdim: [1, 1, 0, 1] })).message).toContain(
      'pixdim[2]: expected a positive voxel',
    );
  });
});

describe('file layouts', () => {
  it('reads pairs from either name with either half gzipped', async () => {
    for (const [n, zipped] of [0, 1, 2, 3].entries()) {
      const { header, voxels } = niftiParts({ magic: 'ni1', voxOffset: 0 });
      const stem = path.join(folder, `pair${n}`);
      const names = [
        zipped & 1 ? `${stem}.hdr.gz` : `${stem}.hdr`,
        zipped & 2 ? `${stem}.img.gz` : `${stem}.img`,
      ];
      writeFileSync(names[0], zipped & 1 ? gzipSync(header) : header);
      writeFileSync(names[1], zipped & 2 ? gzipSync(voxels) : voxels);
      for (const name of names) expect((await readScan(name)).data.length).toBe(12);
    }
  });

  it('names the missing half', async () => {
    const lonely = save(niftiBytes({ magic: 'ni1' }), '.hdr');
    expect((await problem(lonely)).message).toMatch(/pair: expected .*\.img or .*\.img\.gz, found neither/);
    expect((await problem(save(niftiBytes({ magic: 'ni1' })))).field).toBe('magic');
  });

  it('finds the other half of a pair in another case, and never takes a header for its own voxels', async () => {
    const stem = path.join(folder, 'Mixed');
    const { header, voxels } = niftiParts({ magic: 'ni1', voxOffset: 0 });
    writeFileSync(`${stem}.HDR`, header.subarray(0, 348));
    writeFileSync(`${stem}.img`, voxels);
    for (const name of [`${stem}.HDR`, `${stem}.img`])
      expect([...(await readScan(name)).data]).toEqual(Array.from({ length: 12 }, (_, n) => n));
    const twin = path.join(folder, 'twin');
    writeFileSync(`${twin}.hdr`, header);
    linkSync(`${twin}.hdr`, `${twin}.img`);
    expect((await problem(`${twin}.hdr`)).message).toMatch(/pair: .*found the same file by another name/);
  });

  it('skips extensions', async () => {
    for (const version of [1, 2] as const) {
      const read = await readScan(save(niftiBytes({ version, extensionBytes: 48 })));
      expect([...read.data]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    }
  });

  it('selects one volume of several, or refuses', async () => {
    const fixture: Fixture = { dims: [2, 1, 1, 1, 3] };
    expect([...(await readScan(save(niftiBytes(fixture)), { volume: 1 })).data]).toEqual([2, 3]);
    expect((await problemOf(fixture)).message).toContain('expected one 3-D volume, found 3 volumes');
    expect((await problemOf(fixture, { volume: 3 })).message).toContain('a volume from 0 to 2, found 3');
    expect((await readScan(save(niftiBytes({ dims: [2, 3, 1, 1] })))).shape).toEqual([1, 3, 2]);
  });

  it('reads the header alone', async () => {
    const bytes = niftiBytes({ version: 2, little: false, type: 'uint8' });
    expect(parseHeader(bytes, 'x')).toMatchObject({ version: 2, littleEndian: false, dims: [3, 2, 2] });
    expect(await readScanHeader(save(bytes))).toMatchObject({ type: 'uint8', shape: [2, 2, 3] });
  });
});

describe('bad files are refused by name, field, expectation and finding', () => {
  it.each<[string, Fixture, RegExp]>([
    ['no magic', { magic: '' }, /magic: expected "n\+1" or "ni1", found ""\. .*Analyze/],
    ['complex', { type: 'complex64' }, /datatype: .* found 32 \(complex64\)/],
    ['colour', { type: 'rgb' }, /datatype: .* found 128 \(RGB\)/],
    ['rank 0', { rank: 0 }, /dim\[0\]: expected a rank of 1 to 7, found 0/],
    ['rank 9', { rank: 9 }, /dim\[0\]: expected a rank of 1 to 7, found 9/],
    ['negative extent', { dims: [3, -2, 2], values: [] }, /dim\[2\]: expected a positive extent, found -2/],
    [
      'huge extents',
      { version: 2, dims: [2 ** 40, 2 ** 40, 9], values: [] },
      /file size: expected .* 544 bytes/,
    ],
    ['large extents', { dims: [32767, 32767, 32767], values: [] }, /file size: expected 703\d+ bytes/],
    ['early voxels', { voxOffset: 100 }, /vox_offset: expected a whole number from 352, found 100/],
    ['far voxels', { voxOffset: 1e9 }, /file size: expected 1000000024 bytes/],
    ['NaN offset', { voxOffset: Number.NaN }, /vox_offset: .* found NaN/],
    [
      'infinite slope',
      { slope: Number.POSITIVE_INFINITY },
      /scl_slope: expected a finite number, found Infinity/,
    ],
    ['NaN intercept', { slope: 1, intercept: Number.NaN }, /scl_inter: expected a finite number, found NaN/],
  ])('%s', async (_, fixture, message) => {
    expect((await problemOf(fixture)).message).toMatch(message);
  });

  it('NaN and infinite voxels, unless they are wanted', async () => {
    const file = save(niftiBytes({ type: 'float32', dims: [3], values: [0, Number.NaN, 1] }));
    expect((await problem(file)).message).toMatch(/voxel 1 .*: expected a finite number, found NaN/);
    expect((await readScan(file, { nonFinite: 'keep' })).data[1]).toBeNaN();
  });

  it('files cut short, plain and gzipped, and damaged gzip', async () => {
    const bytes = niftiBytes({
      dims: [50, 40, 3],
      values: Array.from({ length: 6000 }, (_, n) => (n * n) % 999),
    });
    expect((await problem(save(bytes.subarray(0, bytes.length - 1)))).field).toBe('file size');
    expect((await problem(save(bytes.subarray(0, 200)))).message).toContain(
      'header: expected 348 bytes, found 200',
    );
    const zipped = gzipSync(bytes);
    expect((await problem(save(zipped.subarray(0, zipped.length - 100)))).message).toContain('gzip stream');
    expect((await problem(save(gzipSync(bytes.subarray(0, -1))))).message).toMatch(
      /voxels: expected 12352 bytes/,
    );
    const damaged = Buffer.from(zipped);
    damaged[damaged.length - 6] ^= 0xff; // the check sum at the end
    expect((await problem(save(damaged))).message).toContain('gzip stream: expected intact data');
  });

  it('paths that are no files', async () => {
    expect((await problem(path.join(folder, 'missing.nii'))).message).toContain('nothing at this path');
    mkdirSync(path.join(folder, 'sub.nii'));
    expect((await problem(path.join(folder, 'sub.nii'))).message).toContain('found an empty folder');
    expect((await problem(save(Buffer.alloc(0)))).message).toContain('found an empty file');
    const other = save(Buffer.from([1, 2, 3, 4, 5]));
    expect((await problem(other)).message).toContain('found bytes 01020304. This is not a NIfTI file.');
  });

  it('a limit on memory', async () => {
    expect((await problemOf({}, { maxBytes: 10 })).message).toContain('at most 10 bytes of voxels, found 24');
  });
});

it('any damage to a header gives a volume or an ImagingError', async () => {
  const good = [niftiBytes(), niftiBytes({ version: 2, little: false, type: 'float32' })];
  const damage = fc.array(fc.tuple(fc.nat(560), fc.nat(255)), { minLength: 1, maxLength: 8 });
  const file = path.join(folder, 'fuzz.nii');
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...good), damage, fc.boolean(), async (bytes, changes, zip) => {
      const copy = Buffer.from(bytes);
      for (const [at, value] of changes) if (at < copy.length) copy[at] = value;
      writeFileSync(file, zip ? gzipSync(copy) : copy);
      await readScan(file).catch((error: unknown) => expect(error).toBeInstanceOf(ImagingError));
    }),
    { numRuns: 300 },
  );
});
