import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { loadCase, readScan } from '../../../dist/imaging/index.js';
import { mutateBytes } from '../mutate.mjs';
import { COUNT, equal, readSound, soundness, voxels } from './scan.mjs';

const sform = [2, 0, 0, -5, 0, 3, 0, -6, 0, 0, 4, -7];

/** NIfTI-1: header with the four bytes that follow it, and voxels of 16-bit (4), 8-bit (2) or 64-bit (64) type. */
function nifti1({ big = false, type = 4, pair = false } = {}) {
  const head = Buffer.alloc(352);
  const order = big ? 'BE' : 'LE';
  const i16 = (value, at) => head[`writeInt16${order}`](value, at);
  const f32 = (value, at) => head[`writeFloat${order}`](value, at);
  head[`writeInt32${order}`](348, 0);
  [3, 4, 5, 6, 1, 1, 1, 1].forEach((size, i) => void i16(size, 40 + 2 * i));
  const bytes = { 2: 1, 4: 2, 64: 8 }[type];
  i16(type, 70);
  i16(8 * bytes, 72);
  [1, 2, 3, 4].forEach((size, i) => void f32(size, 76 + 4 * i));
  f32(pair ? 0 : 352, 108);
  f32(2, 112);
  f32(-1000, 116);
  head[123] = 10;
  i16(1, 252);
  [0.1, 0.2, 0.3].forEach((value, i) => void f32(value, 256 + 4 * i));
  i16(type === 2 ? 0 : 1, 254);
  sform.forEach((value, i) => void f32(value, 280 + 4 * i));
  head.write(pair ? 'ni1\0' : 'n+1\0', 344, 'latin1');
  let data = Buffer.from(voxels);
  if (big) data.swap16();
  if (type !== 4) {
    data = Buffer.alloc(bytes * COUNT);
    for (let i = 0; i < COUNT; i++) type === 2 ? data.writeUInt8(i, i) : data.writeDoubleLE(1.5 * i, 8 * i);
  }
  return pair ? [head.subarray(0, 348), data] : Buffer.concat([head, data]);
}

function nifti2() {
  const head = Buffer.alloc(544);
  head.writeInt32LE(540, 0);
  head.write('n+2\0\r\n\x1a\n', 4, 'latin1');
  head.writeInt16LE(4, 12);
  head.writeInt16LE(16, 14);
  [3, 4, 5, 6, 1, 1, 1, 1].forEach((size, i) => void head.writeBigInt64LE(BigInt(size), 16 + 8 * i));
  [1, 2, 3, 4].forEach((size, i) => void head.writeDoubleLE(size, 104 + 8 * i));
  head.writeBigInt64LE(544n, 168);
  head.writeInt32LE(1, 348);
  sform.forEach((value, i) => void head.writeDoubleLE(value, 400 + 8 * i));
  head.writeInt32LE(2, 500);
  return Buffer.concat([head, voxels]);
}

export function nifti() {
  const one = [nifti1(), nifti1({ big: true }), nifti1({ type: 64 }), nifti1({ type: 2 })];
  const two = nifti2();
  return {
    mutant: (random) => ({
      'scan.nii': random.once(4) ? mutateBytes(random, two, 540) : mutateBytes(random, random.pick(one), 352),
    }),
    read: (folder) => readSound(path.join(folder, 'scan.nii')),
  };
}

/** Two channels in one file: as many volumes, or vectors of them. */
export function niftiChannels() {
  const of = (dims) => {
    const head = nifti1().subarray(0, 352);
    dims.forEach((size, i) => void head.writeInt16LE(size, 40 + 2 * i));
    return Buffer.concat([head, voxels, voxels]);
  };
  const files = [of([4, 4, 5, 6, 2, 1, 1, 1]), of([5, 4, 5, 6, 1, 2, 1, 1])];
  return {
    mutant: (random) => ({ 'scan.nii': mutateBytes(random, random.pick(files), 352) }),
    async read(folder) {
      const image = path.join(folder, 'scan.nii');
      const normalizations = [{ kind: 'zscore', nonZero: true }, { kind: 'rescale' }];
      const channels = [0, 1].map((volume) => ({ file: image, volume }));
      const { shape, image: data } = await loadCase({ id: 'scan', image, channels }, { normalizations });
      if (data.length !== 2 * shape[0] * shape[1] * shape[2])
        return `${data.length} numbers of the shape ${shape}`;
      return data.every(Number.isFinite) ? undefined : 'a number is not finite';
    },
  };
}

/** The file before gzip is damaged, or after: then no other voxels may come out. */
export async function niftiGzip() {
  const whole = nifti1();
  const packed = gzipSync(whole);
  const expected = Array.from({ length: COUNT }, (_, i) => 2 * (3 * i - 100) - 1000);
  return {
    mutant: (random) =>
      random.once(3)
        ? { 'before.nii.gz': gzipSync(mutateBytes(random, whole, 352), { level: 1 }) }
        : { 'after.nii.gz': mutateBytes(random, packed, 20) },
    async read(folder, files) {
      const [name] = Object.keys(files);
      const scan = await readScan(path.join(folder, name));
      const wrong = soundness(scan);
      // Without its first bytes it is no gzip, and what it then is has no sum.
      const summed = files[name][0] === 0x1f && files[name][1] === 0x8b;
      if (wrong !== undefined || name === 'before.nii.gz' || !summed) return wrong;
      return equal(scan.data, expected) ? undefined : 'other voxels than those that were packed';
    },
  };
}

export function niftiPair() {
  const [head, data] = nifti1({ pair: true });
  return {
    mutant(random) {
      if (random.once(2)) return { 'scan.hdr': mutateBytes(random, head), 'scan.img': data };
      const damaged = mutateBytes(random, data);
      const packed = random.once(2);
      return {
        'scan.hdr': head,
        [packed ? 'scan.img.gz' : 'scan.img']: packed ? gzipSync(damaged) : damaged,
      };
    },
    read: (folder, files) => readSound(path.join(folder, Object.keys(files)[1])),
  };
}
