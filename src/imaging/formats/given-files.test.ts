import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { dicomBytes } from '../../../test/imaging/dicom-fixture.ts';
import { niftiBytes } from '../../../test/imaging/nifti-fixture.ts';
import { readGivenScan } from './any-scan.ts';
import { readScan } from './scan.ts';
import { unpackByStream } from './unpack-stream.ts';

const values = Array.from({ length: 24 }, (_, n) => n * 7);
const fixture = { type: 'int16', dims: [2, 3, 4], values } as const;
const encode = (text: string) => new TextEncoder().encode(text);
const nrrd = (more: string) =>
  encode(`NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 1 2\nencoding: raw\n${more}\n\n`);
const mha = (packed: Uint8Array) => [
  encode(
    `ObjectType = Image\nNDims = 3\nDimSize = 2 1 2\nElementType = MET_UCHAR\nCompressedData = True\nCompressedDataSize = ${packed.length}\nElementDataFile = LOCAL\n`,
  ),
  packed,
];
const blob = (...parts: Uint8Array[]) => new Blob(parts as Uint8Array<ArrayBuffer>[]);

async function voxels(files: Record<string, Uint8Array | Blob>, file: string): Promise<number[]> {
  return [...(await readGivenScan(new Map(Object.entries(files)), file)).data];
}

it('scans of every format are read from files that were given, packed ones too', async () => {
  const small = [1, 2, 3, 4];
  const bytes = Uint8Array.from(small);
  expect(await voxels({ 'a.nii': niftiBytes(fixture) }, 'a.nii')).toEqual(values);
  expect(await voxels({ 'a.nii.gz': blob(gzipSync(niftiBytes(fixture))) }, 'a.nii.gz')).toEqual(values);
  expect(await voxels({ 'b.mha': blob(...mha(deflateSync(bytes))) }, 'b.mha')).toEqual(small);
  expect(await voxels({ 'b.mha': blob(...mha(gzipSync(bytes))) }, 'b.mha')).toEqual(small);
  // The data file of a header written elsewhere, whose name has another case here.
  const pair = { 'in/c.nhdr': nrrd('data file: C:\\scans\\C.RAW'), 'in/c.raw': bytes };
  expect(await voxels(pair, 'in/c.nhdr')).toEqual(small);
});

it('a series of DICOM is read by its folder, or as all that was given', async () => {
  const slice = (n: number) => dicomBytes({ position: [0, 0, n], values: [n, 1, 2, 3, 4, 5] });
  const given = { 'ct/b.dcm': slice(1), 'ct/a.dcm': slice(0), 'ct/.DS_Store': encode('x') };
  const series = await voxels(given, 'ct');
  expect(series).toHaveLength(12);
  expect(await voxels(given, '')).toEqual(series);
  expect(await voxels(given, 'ct/a.dcm')).toEqual(series);
  expect(await voxels({ 'b.dcm': slice(1), 'a.dcm': slice(0) }, '')).toEqual(series);
});

it('what cannot be used is refused in the words of files on a disk', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'halomesh-given-'));
  try {
    const whole = gzipSync(niftiBytes(fixture));
    const damaged = Uint8Array.from(whole);
    damaged[whole.length - 5] ^= 255;
    const faulty = { 'cut.nii.gz': whole.subarray(0, whole.length - 12), 'empty.nii': new Uint8Array(0) };
    for (const [name, bytes] of Object.entries({ ...faulty, 'page.nii': encode('<!doctype html>') })) {
      const file = path.join(dir, name);
      writeFileSync(file, bytes);
      const onDisk = await readScan(file).catch((error: Error) => error.message.replace(file, name));
      await expect(voxels({ [name]: blob(bytes) }, name)).rejects.toThrow(onDisk as string);
    }
    await expect(voxels({ 'bad.nii.gz': damaged }, 'bad.nii.gz')).rejects.toThrow(
      /^bad\.nii\.gz: gzip stream: expected intact data, found damaged data/,
    );
    await expect(voxels({}, 'none.nii')).rejects.toThrow(
      'none.nii: path: expected a regular file, found nothing of this name among the files given',
    );
    const itself = { 'a.nhdr': nrrd('data file: ../a.nhdr') };
    await expect(voxels(itself, 'a.nhdr')).rejects.toThrow('found ../a.nhdr, the header itself');
  } finally {
    rmSync(dir, { recursive: true });
  }
});

it('pieces are no larger than asked for, and what fails below is told as it is', async () => {
  const packed = [deflateRawSync(new Uint8Array(1000).fill(3)), new Uint8Array(0)];
  const unpacker = unpackByStream('deflate', 300, async () => packed.shift());
  const sizes = [];
  for (let piece = await unpacker.next(); piece !== undefined; piece = await unpacker.next())
    sizes.push(piece.length);
  expect(Math.max(...sizes)).toBe(300);
  expect(sizes.reduce((a, b) => a + b)).toBe(1000);
  unpacker.close();
  const fault = new Error('the disk is gone');
  const failing = unpackByStream('gzip', 300, () => Promise.reject(fault));
  await expect(failing.next()).rejects.toBe(fault);
  failing.close();
  const late = [gzipSync(new Uint8Array(9)).subarray(0, 12)];
  const later = unpackByStream('gzip', 300, async () => late.shift() ?? Promise.reject(fault));
  await expect(later.next()).rejects.toBe(fault);
});
