import fs, { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { niftiBytes, temporaryFolder } from '../../../../test/imaging/nifti-fixture.ts';
import type { Affine } from '../../volume/affine.ts';
import { ImagingError } from '../../volume/errors.ts';
import { makeVolume, type VoxelArray } from '../../volume/volume.ts';
import { readScan } from '../scan.ts';
import { quaternionOf } from './nifti-encode.ts';
import { createNiftiWriter, writeNifti } from './nifti-write.ts';

const folder = temporaryFolder();
const affine: Affine = [-0.7, 0, 0, 12.5, 0, 0, 2.5, -80, 0, 0.7, 0, 33, 0, 0, 0, 1];

describe('writeNifti', () => {
  it.each<[VoxelArray]>([
    [Int8Array.from([-128, 0, 1, 127, 5, 6])],
    [Uint8Array.from([0, 1, 2, 255, 5, 6])],
    [Int16Array.from([-1024, 3071, 0, 1, 2, 3])],
    [Uint16Array.from([0, 65535, 0, 1, 2, 3])],
    [Int32Array.from([-70000, 1, 0, 1, 2, 3])],
    [Uint32Array.from([2 ** 32 - 1, 1, 0, 1, 2, 3])],
    [Float32Array.from([0.5, -1e10, 0, 1, 2, 3])],
  ])('comes back the same: %o', async (data) => {
    for (const suffix of ['.nii', '.nii.gz']) {
      const file = path.join(folder, data.constructor.name + suffix);
      await writeNifti(file, makeVolume(data, [1, 2, 3], affine));
      const back = await readScan(file);
      expect(back.data).toEqual(data);
      expect(back.shape).toEqual([1, 2, 3]);
      expect(back.affine).toEqual(affine.map(Math.fround));
    }
  });

  it('rounds to an integer type and refuses what does not fit', async () => {
    const volume = makeVolume(Float32Array.from([1.4, -2.6]), [1, 1, 2], affine);
    const file = path.join(folder, 'rounded.nii');
    await writeNifti(file, volume, { type: 'int16' });
    expect((await readScan(file)).data).toEqual(Int16Array.from([1, -3]));
    const refused = writeNifti(path.join(folder, 'refused.nii.gz'), volume, { type: 'uint8' });
    await expect(refused).rejects.toThrow(/voxel 1: expected a value of uint8, found -2\.59/);
  });

  it('leaves nothing behind when it fails, and the old file as it was', async () => {
    const file = path.join(folder, 'kept.nii');
    writeFileSync(file, 'old');
    const writer = await createNiftiWriter(file, { shape: [2, 1, 2], affine }, { type: 'uint8' });
    await writer.writeSlice(Uint8Array.from([1, 2]));
    await expect(writer.finish()).rejects.toThrow('slices: expected 2, found 1');
    const long = await createNiftiWriter(file, { shape: [2, 1, 2], affine }, { type: 'uint8' });
    await expect(long.writeSlice(new Uint8Array(3))).rejects.toThrow('found 3 voxels for slice 0');
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(readdirSync(folder).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('says what is wrong with a path', async () => {
    const volume = makeVolume(new Uint8Array(1), [1, 1, 1], affine);
    const missing = writeNifti(path.join(folder, 'no', 'such.nii'), volume);
    await expect(missing).rejects.toThrow(
      /such\.nii: file: expected to be written, found there is no such file or folder \(ENOENT\)\. Make the folder/,
    );
    await expect(writeNifti(path.join(folder, 'a.png'), volume)).rejects.toThrow(ImagingError);
  });

  it.each([
    [11, '3 voxels for slice 2'],
    [13, '1 voxels for slice 3'],
    [16, '4 voxels for slice 3'],
  ])('refuses %i voxels for 12, and leaves nothing', async (length, found) => {
    const file = path.join(folder, 'uneven.nii');
    const uneven = { shape: [3, 2, 2] as const, affine, data: new Uint8Array(length) };
    const expected = `uneven.nii: slice: expected 3 slices of 4 voxels, found ${found}`;
    await expect(writeNifti(file, uneven)).rejects.toThrow(expected);
    expect(readdirSync(folder).filter((name) => name.includes('uneven'))).toEqual([]);
  });

  it.each(['.nii', '.nii.gz'])(
    'lets the caller use a slice again once it is written to %s',
    async (suffix) => {
      const file = path.join(folder, `reused${suffix}`);
      const grid = { shape: [50, 64, 64] as const, affine };
      const writer = await createNiftiWriter(file, grid, { type: 'int16', gzipLevel: 1 });
      const slice = new Int16Array(64 * 64);
      for (let k = 0; k < 50; k++) await writer.writeSlice(slice.fill(k));
      await writer.finish();
      const { data } = await readScan(file);
      expect(data.every((value, n) => value === Math.floor(n / 4096))).toBe(true);
      const bytes = readFileSync(file);
      const plain = suffix === '.nii' ? bytes : gunzipSync(bytes);
      expect(plain.length).toBe(352 + 2 * 50 * 64 * 64);
    },
  );

  it.each(['.nii', '.nii.gz'])(
    'says in one sentence that the disk is full, and leaves nothing: %s',
    async (suffix) => {
      const file = path.join(folder, `full${suffix}`);
      const data = Uint8Array.from({ length: 64 ** 3 }, (_, n) => (n * 2654435761) >>> 13);
      const { write } = fs;
      let room = 1000;
      // Takes what a small disk has room for, then fails as the system does.
      vi.spyOn(fs, 'write').mockImplementation(((fd: number, chunk: Buffer, ...rest: unknown[]) => {
        room -= chunk.length;
        if (room >= 0) return Reflect.apply(write, fs, [fd, chunk, ...rest]);
        const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
        const done = rest.at(-1) as (error: Error) => void;
        setImmediate(() => done(full));
      }) as typeof fs.write);
      const written = writeNifti(file, makeVolume(data, [64, 64, 64], affine));
      await expect(written).rejects.toThrow(
        /full\.nii.*: file: expected to be written, found the disk is full \(ENOSPC\)\. Free /,
      );
      vi.restoreAllMocks();
      expect(readdirSync(folder).filter((name) => name.startsWith('full'))).toEqual([]);
    },
  );
});

describe('quaternionOf', () => {
  const angle = fc.double({ min: -Math.PI, max: Math.PI, noNaN: true });
  const size = fc.double({ min: 0.2, max: 6, noNaN: true });

  it('gives a qform that reads back to the affine, for any rotation and handedness', async () => {
    const file = path.join(folder, 'qform.nii');
    await fc.assert(
      fc.asyncProperty(
        angle,
        angle,
        angle,
        fc.tuple(size, size, size),
        fc.boolean(),
        async (a, b, c, mm, left) => {
          const [ca, sa, cb, sb, cc, sc] = [a, b, c].flatMap((t) => [Math.cos(t), Math.sin(t)]);
          const rotation = [
            [cb * cc, sa * sb * cc - ca * sc, ca * sb * cc + sa * sc],
            [cb * sc, sa * sb * sc + ca * cc, ca * sb * sc - sa * cc],
            [-sb, sa * cb, ca * cb],
          ];
          const wanted = rotation.flatMap((row, r) => [
            ...row.map((value, n) => value * mm[n] * (left && n === 2 ? -1 : 1)),
            [4, 5, 6][r],
          ]);
          const quaternion = quaternionOf([...wanted, 0, 0, 0, 1]);
          const qform = { bcd: quaternion?.bcd ?? [], offset: [4, 5, 6] };
          writeFileSync(file, niftiBytes({ version: 2, qform, pixdim: [quaternion?.qfac ?? 0, ...mm] }));
          (await readScan(file)).affine.slice(0, 12).forEach((value, n) => {
            expect(value).toBeCloseTo(wanted[n], 6);
          });
        },
      ),
      { numRuns: 150 },
    );
  });

  it('has none for a sheared affine', () => {
    expect(quaternionOf([1, 0.1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])).toBeUndefined();
  });
});
