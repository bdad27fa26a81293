import {
  type Affine,
  affineColumn,
  affineDeterminant,
  affineLean,
  PERPENDICULAR,
  type Vector3,
  vectorLength,
} from '../../volume/affine.ts';
import { ImagingError } from '../../volume/errors.ts';
import type { StoredOrientation } from '../../volume/nifti-orientation.ts';
import {
  arrayOfType,
  elementBytes,
  elementCode,
  typeOfArray,
  type WritableType,
} from '../../volume/nifti-types.ts';
import { type Grid, spacingOf, type VoxelArray } from '../../volume/volume.ts';
import { putAscii, viewOf } from '../bytes.ts';

/** Bytes before the first voxel of a written file without extensions: the header and four bytes that say whether there are any. */
export const writtenOffset = 352;

/** The code of an extension that is a text for people and programs: NIFTI_ECODE_COMMENT. */
const commentCode = 6;

/**
 * The voxels as `type`, rounded to whole numbers for an integer type; the same array where it is one already.
 * Throws ImagingError for a value outside the type's range, or NaN for an integer type.
 */
export function toElements(data: VoxelArray, type: WritableType, file?: string): VoxelArray {
  if (typeOfArray(data) === type) return data;
  const out = new (arrayOfType(type))(data.length);
  if (type === 'float32' || type === 'float64') {
    out.set(data);
    return out;
  }
  for (let n = 0; n < data.length; n++) {
    const value = Math.round(data[n]);
    out[n] = value;
    if (out[n] !== value) {
      throw new ImagingError({
        file,
        field: `voxel ${n}`,
        expected: `a value of ${type}`,
        found: `${data[n]}`,
      });
    }
  }
  return out;
}

/**
 * What stands before the voxels of a single-file NIfTI-1 image, 352 bytes and a comment, in this machine's byte order: units mm, no scaling, the
 * affine as sform, and as qform too where its axes are perpendicular (a qform holds no shear); of a grid of a NIfTI file, both
 * with their codes as they were there.
 * Throws ImagingError for an extent above 32767, which NIfTI-1 cannot say.
 */
export function encodeHeader(
  grid: Grid,
  type: WritableType,
  little: boolean,
  file?: string,
  comment?: string,
): Uint8Array {
  const [depth, height, width] = grid.shape;
  if (Math.max(depth, height, width) > 32767) {
    const found = grid.shape.join('x');
    throw new ImagingError({ file, field: 'shape', expected: 'at most 32767 voxels along each axis', found });
  }
  const text = comment === undefined ? undefined : new TextEncoder().encode(comment);
  // An extension has a size and a code before its text, and is a multiple of 16 bytes.
  const extension = text === undefined ? 0 : 16 * Math.ceil((8 + text.length) / 16);
  const bytes = new Uint8Array(writtenOffset + extension);
  const view = viewOf(bytes);
  const i16 = (at: number, value: number) => view.setInt16(at, value, little);
  const f32 = (at: number, value: number) => view.setFloat32(at, value, little);
  const { pixdim, qformCode, sformCode, quaternion, qoffset, srows } = orientationFor(grid);

  view.setInt32(0, 348, little);
  putAscii(bytes, 'r', 38);
  [3, width, height, depth, 1, 1, 1, 1].forEach((n, at) => {
    i16(40 + 2 * at, n);
  });
  i16(70, elementCode(type));
  i16(72, elementBytes(type) * 8);
  [...pixdim, 1, 1, 1, 1].forEach((size, at) => {
    f32(76 + 4 * at, size);
  });
  f32(108, bytes.length);
  f32(112, 1);
  view.setUint8(123, 2);
  putAscii(bytes, 'halomesh', 148);
  i16(252, qformCode);
  i16(254, sformCode);
  [...quaternion, ...qoffset, ...srows].forEach((value, at) => {
    f32(256 + 4 * at, value);
  });
  putAscii(bytes, 'n+1\0', 344);
  if (text !== undefined) {
    bytes[348] = 1;
    view.setInt32(writtenOffset, extension, little);
    view.setInt32(writtenOffset + 4, commentCode, little);
    bytes.set(text, writtenOffset + 8);
  }
  return bytes;
}

/** That of the file that the grid was read from, or the affine as sform and, where its axes are perpendicular, as qform. */
function orientationFor(grid: Grid): Omit<StoredOrientation, 'affine'> {
  const { affine, stored } = grid;
  if (stored?.affine.every((value, n) => value === affine[n])) return stored;
  const [depth, height, width] = spacingOf(grid);
  const rotation = quaternionOf(affine);
  return {
    pixdim: [rotation?.qfac ?? 1, width, height, depth],
    qformCode: rotation === undefined ? 0 : 1,
    sformCode: 1,
    quaternion: rotation?.bcd ?? [0, 0, 0],
    qoffset: [affine[3], affine[7], affine[11]],
    srows: affine.slice(0, 12),
  };
}

/**
 * The unit quaternion (a, b, c, d), a >= 0, of the affine's rotation as (b, c, d), and qfac: -1 where the
 * axes are left-handed and k is counted backwards. Undefined where two axes are not perpendicular, to 1e-4.
 */
export function quaternionOf(affine: Affine): { bcd: Vector3; qfac: 1 | -1 } | undefined {
  const qfac = affineDeterminant(affine) < 0 ? -1 : 1;
  const unit = ([0, 1, 2] as const).map((n) => {
    const column = affineColumn(affine, n);
    const length = vectorLength(column) * (n === 2 ? qfac : 1);
    return column.map((value) => value / length);
  });
  if (affineLean(affine) > PERPENDICULAR) return undefined;
  const r = (row: number, column: number) => unit[column][row];
  const half = (sum: number) => Math.sqrt(Math.max(0, sum)) / 2;
  // Each squared component times four stands on the diagonal; the largest gives the others' signs.
  const a = half(1 + r(0, 0) + r(1, 1) + r(2, 2));
  const b = half(1 + r(0, 0) - r(1, 1) - r(2, 2));
  const c = half(1 - r(0, 0) + r(1, 1) - r(2, 2));
  const d = half(1 - r(0, 0) - r(1, 1) + r(2, 2));
  const largest = Math.max(a, b, c, d);
  const f = 1 / (4 * largest);
  let bcd: Vector3;
  let sign = 1;
  if (a === largest) {
    bcd = [f * (r(2, 1) - r(1, 2)), f * (r(0, 2) - r(2, 0)), f * (r(1, 0) - r(0, 1))];
  } else if (b === largest) {
    bcd = [b, f * (r(0, 1) + r(1, 0)), f * (r(0, 2) + r(2, 0))];
    sign = r(2, 1) - r(1, 2);
  } else if (c === largest) {
    bcd = [f * (r(0, 1) + r(1, 0)), c, f * (r(1, 2) + r(2, 1))];
    sign = r(0, 2) - r(2, 0);
  } else {
    bcd = [f * (r(0, 2) + r(2, 0)), f * (r(1, 2) + r(2, 1)), d];
    sign = r(1, 0) - r(0, 1);
  }
  return { bcd: sign < 0 ? [-bcd[0], -bcd[1], -bcd[2]] : bcd, qfac };
}
