import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

/** A folder for the tests of one file, removed after them. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'halomesh-imaging-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const types = {
  uint8: [2, 1, 'setUint8'],
  int16: [4, 2, 'setInt16'],
  int32: [8, 4, 'setInt32'],
  float32: [16, 4, 'setFloat32'],
  complex64: [32, 8, 'setFloat64'],
  float64: [64, 8, 'setFloat64'],
  rgb: [128, 3, 'setUint8'],
  int8: [256, 1, 'setInt8'],
  uint16: [512, 2, 'setUint16'],
  uint32: [768, 4, 'setUint32'],
  int64: [1024, 8, 'setBigInt64'],
  uint64: [1280, 8, 'setBigUint64'],
} as const;

export type FixtureType = keyof typeof types;

/** What a test file shall say; everything has a sound default. */
export interface Fixture {
  version?: 1 | 2;
  little?: boolean;
  type?: FixtureType;
  /** Extents, i first. */
  dims?: readonly number[];
  /** dim[0], where it shall not be the number of dims. */
  rank?: number;
  values?: readonly number[];
  slope?: number;
  intercept?: number;
  pixdim?: readonly number[];
  units?: number;
  /** 12 numbers. */
  sform?: readonly number[];
  qform?: { bcd: readonly number[]; offset: readonly number[] };
  voxOffset?: number;
  extensionBytes?: number;
  magic?: string;
}

/** The header (with extensions, as it stands before the voxels) and the voxels of a NIfTI file. */
export function niftiParts(fixture: Fixture): { header: Buffer; voxels: Buffer } {
  const { version = 1, little = true, type = 'int16', dims = [3, 2, 2], extensionBytes = 0 } = fixture;
  const [code, bytes, setter] = types[type];
  const values = fixture.values ?? Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, n) => n);
  const one = version === 1;
  const size = one ? 348 : 540;
  const header = Buffer.alloc(size + 4 + extensionBytes);
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  const i16 = (at: number, value: number) => view.setInt16(at, value, little);
  const i32 = (at: number, value: number) => view.setInt32(at, value, little);
  const i64 = (at: number, value: number) => view.setBigInt64(at, BigInt(value), little);
  const float = (at: number, n: number, value: number) =>
    one ? view.setFloat32(at + 4 * n, value, little) : view.setFloat64(at + 8 * n, value, little);
  const pixdim = fixture.pixdim ?? [1, 1, 1, 1];
  const voxOffset = fixture.voxOffset ?? header.length;

  i32(0, size);
  header.write(fixture.magic ?? (one ? 'n+1' : 'n+2'), one ? 344 : 4, 'latin1');
  i16(one ? 70 : 12, code);
  i16(one ? 72 : 14, bytes * 8);
  [fixture.rank ?? dims.length, ...dims].forEach((n, at) => {
    if (one) i16(40 + 2 * at, n);
    else i64(16 + 8 * at, n);
  });
  pixdim.forEach((value, n) => {
    float(one ? 76 : 104, n, value);
  });
  if (one) float(108, 0, voxOffset);
  else i64(168, voxOffset);
  float(one ? 112 : 176, 0, fixture.slope ?? 0);
  float(one ? 116 : 184, 0, fixture.intercept ?? 0);
  if (one) view.setUint8(123, fixture.units ?? 2);
  else i32(500, fixture.units ?? 2);
  if (fixture.qform) {
    if (one) i16(252, 1);
    else i32(344, 1);
    fixture.qform.bcd.forEach((value, n) => {
      float(one ? 256 : 352, n, value);
    });
    fixture.qform.offset.forEach((value, n) => {
      float(one ? 268 : 376, n, value);
    });
  }
  if (fixture.sform) {
    if (one) i16(254, 1);
    else i32(348, 1);
    fixture.sform.forEach((value, n) => {
      float(one ? 280 : 400, n, value);
    });
  }
  if (extensionBytes > 0) {
    view.setUint8(size, 1);
    i32(size + 4, extensionBytes);
    header.fill(0xee, size + 12);
  }
  const voxels = Buffer.alloc(values.length * bytes);
  const data = new DataView(voxels.buffer, voxels.byteOffset, voxels.length);
  values.forEach((value, n) => {
    if (setter === 'setBigInt64' || setter === 'setBigUint64') data[setter](n * bytes, BigInt(value), little);
    else data[setter](n * bytes, value, little);
  });
  return { header, voxels };
}

/** The bytes of a single-file NIfTI image. */
export function niftiBytes(fixture: Fixture = {}): Buffer {
  const { header, voxels } = niftiParts(fixture);
  return Buffer.concat([header, voxels]);
}
