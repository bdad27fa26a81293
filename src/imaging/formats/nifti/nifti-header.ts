import type { Vector3 } from '../../volume/affine.ts';
import { ImagingError } from '../../volume/errors.ts';
import {
  type NiftiOrientation,
  type OrientationFields,
  orientationIn,
} from '../../volume/nifti-orientation.ts';
import { type ElementType, elementOfCode, nameOfCode } from '../../volume/nifti-types.ts';
import { hex, latin1, viewOf } from '../bytes.ts';

/** What the reader uses of a NIfTI header. */
export interface NiftiHeader extends NiftiOrientation {
  readonly version: 1 | 2;
  readonly littleEndian: boolean;
  /** Header and voxels in one file (`.nii`), or a `.hdr` and `.img` pair. */
  readonly singleFile: boolean;
  /** Extents in file order, fastest (i) first: 1 to 7 numbers, each positive. */
  readonly dims: readonly number[];
  readonly type: ElementType;
  /** Bytes before the first voxel in the file that holds the voxels. */
  readonly voxelOffset: number;
  /** value = raw * slope + intercept; 1 and 0 where the header asks for no scaling. */
  readonly slope: number;
  readonly intercept: number;
}

/** Bytes of the fixed part of each version's header. */
export const headerBytes = { 1: 348, 2: 540 } as const;

/** Version and byte order from the first four bytes (`sizeof_hdr`), or undefined if this is not NIfTI. */
export function sniffHeader(start: Uint8Array): { version: 1 | 2; littleEndian: boolean } | undefined {
  if (start.length < 4) return undefined;
  const view = viewOf(start);
  for (const version of [1, 2] as const)
    for (const littleEndian of [true, false])
      if (view.getInt32(0, littleEndian) === headerBytes[version]) return { version, littleEndian };
  return undefined;
}

/**
 * Reads the fixed part of a NIfTI-1 (348 bytes) or NIfTI-2 (540 bytes) header of either byte order.
 * `file` is for messages only. Throws ImagingError where the header is none or says something impossible.
 */
export function parseHeader(bytes: Uint8Array, file: string): NiftiHeader {
  const kind = sniffHeader(bytes);
  const fail = (field: string, expected: string, found: string, hint?: string): never => {
    throw new ImagingError({ file, field, expected, found, hint });
  };
  if (kind === undefined) {
    const found = bytes.length < 4 ? `${bytes.length} bytes` : `bytes ${hex(bytes.subarray(0, 4))}`;
    return fail('sizeof_hdr', '348 (NIfTI-1) or 540 (NIfTI-2)', found, 'This is not a NIfTI file.');
  }
  const size = headerBytes[kind.version];
  if (bytes.length < size) {
    return fail('header', `${size} bytes`, `${bytes.length}`, 'The file is cut short; copy it again.');
  }
  const fields =
    kind.version === 1 ? fieldsOf1(bytes, kind.littleEndian) : fieldsOf2(bytes, kind.littleEndian);

  const magic = fields.magic.replace(/\0.*$/s, '');
  const singleFile = magic === `n+${kind.version}`;
  if (!singleFile && magic !== `ni${kind.version}`) {
    const hint = 'A header of this size without the NIfTI magic is Analyze 7.5, which knows no orientation.';
    return fail('magic', `"n+${kind.version}" or "ni${kind.version}"`, JSON.stringify(magic), hint);
  }
  const rank = fields.dim[0];
  if (!(rank >= 1 && rank <= 7)) return fail('dim[0]', 'a rank of 1 to 7', `${rank}`);
  const dims = fields.dim.slice(1, rank + 1);
  dims.forEach((n, axis) => {
    if (!(n >= 1)) fail(`dim[${axis + 1}]`, 'a positive extent', `${n}`);
  });
  const type = elementOfCode(fields.datatype);
  if (type === undefined) {
    const hint = 'Complex and colour images hold no single value a voxel; convert the file to one that does.';
    return fail('datatype', 'an integer or float type of 8 to 64 bits', nameOfCode(fields.datatype), hint);
  }
  const start = singleFile ? size + 4 : 0;
  const voxelOffset = singleFile && fields.voxOffset === 0 ? start : fields.voxOffset;
  if (!Number.isSafeInteger(voxelOffset) || voxelOffset < start) {
    return fail('vox_offset', `a whole number from ${start}`, `${fields.voxOffset}`);
  }
  // Slope 0 and slope NaN (as nibabel leaves it) both say "no scaling".
  const scaled = fields.slope !== 0 && !Number.isNaN(fields.slope);
  const slope = scaled ? fields.slope : 1;
  const intercept = scaled ? fields.intercept : 0;
  if (!Number.isFinite(slope)) return fail('scl_slope', 'a finite number', `${slope}`);
  if (!Number.isFinite(intercept)) return fail('scl_inter', 'a finite number', `${intercept}`);
  const orientation = orientationIn(fields, dims, file);
  const unknown = `${fields.units} for the unit of length (xyzt_units), which is none: mm are taken`;
  const notes = fields.units > 3 ? [...orientation.notes, unknown] : orientation.notes;
  return {
    ...kind,
    singleFile,
    dims,
    type,
    voxelOffset,
    slope,
    intercept,
    ...orientation,
    notes,
  };
}

/** The fields of both versions, in their common meaning. */
interface Fields extends OrientationFields {
  readonly magic: string;
  readonly dim: readonly number[];
  readonly datatype: number;
  readonly voxOffset: number;
  readonly slope: number;
  readonly intercept: number;
}

/** n numbers read one after the other. */
function series(n: number, read: (index: number) => number): number[] {
  return Array.from({ length: n }, (_, index) => read(index));
}

function vector(read: (index: number) => number): Vector3 {
  return [read(0), read(1), read(2)];
}

function fieldsOf1(bytes: Uint8Array, little: boolean): Fields {
  const view = viewOf(bytes);
  const i16 = (at: number) => view.getInt16(at, little);
  const f32 = (at: number) => view.getFloat32(at, little);
  return {
    dim: series(8, (n) => i16(40 + 2 * n)),
    datatype: i16(70),
    pixdim: series(8, (n) => f32(76 + 4 * n)),
    voxOffset: f32(108),
    slope: f32(112),
    intercept: f32(116),
    units: bytes[123] & 7,
    qformCode: i16(252),
    sformCode: i16(254),
    quaternion: vector((n) => f32(256 + 4 * n)),
    qoffset: vector((n) => f32(268 + 4 * n)),
    srows: series(12, (n) => f32(280 + 4 * n)),
    magic: latin1(bytes, 344, 348),
  };
}

function fieldsOf2(bytes: Uint8Array, little: boolean): Fields {
  const view = viewOf(bytes);
  const i16 = (at: number) => view.getInt16(at, little);
  const i32 = (at: number) => view.getInt32(at, little);
  const i64 = (at: number) => Number(view.getBigInt64(at, little));
  const f64 = (at: number) => view.getFloat64(at, little);
  return {
    magic: latin1(bytes, 4, 12),
    datatype: i16(12),
    dim: series(8, (n) => i64(16 + 8 * n)),
    pixdim: series(8, (n) => f64(104 + 8 * n)),
    voxOffset: i64(168),
    slope: f64(176),
    intercept: f64(184),
    qformCode: i32(344),
    sformCode: i32(348),
    quaternion: vector((n) => f64(352 + 8 * n)),
    qoffset: vector((n) => f64(376 + 8 * n)),
    srows: series(12, (n) => f64(400 + 8 * n)),
    units: i32(500) & 7,
  };
}
