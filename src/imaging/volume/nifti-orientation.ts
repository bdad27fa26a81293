import { type Affine, applyAffine, isUsableAffine, type Vector3 } from './affine.ts';
import { ImagingError } from './errors.ts';

/** The fields of a NIfTI header that say where its voxels lie, in the header's unit of length. */
export interface OrientationFields {
  /** qfac, and the voxel sizes along i, j, k. */
  readonly pixdim: readonly number[];
  /** xyzt_units: 1 metres, 2 millimetres, 3 micrometres, 0 not said. */
  readonly units: number;
  readonly qformCode: number;
  readonly sformCode: number;
  /** quatern_b, quatern_c, quatern_d */
  readonly quaternion: Vector3;
  readonly qoffset: Vector3;
  /** srow_x, srow_y, srow_z: 12 numbers */
  readonly srows: readonly number[];
}

/** Both orientations of a header, in mm, for files that shall keep them. */
export interface StoredOrientation extends Omit<OrientationFields, 'units'> {
  /** The affine that was taken from them. */
  readonly affine: Affine;
}

/** Where the voxels of a NIfTI file lie. */
export interface NiftiOrientation {
  /** (i, j, k) to RAS+ mm. */
  readonly affine: Affine;
  /** Which part of the header the affine comes from. */
  readonly affineSource: 'sform' | 'qform' | 'pixdim';
  /** The header's own fields; absent where they cannot stand in another file as they are. */
  readonly stored?: StoredOrientation;
  /** What somebody should look at. */
  readonly notes: readonly string[];
}

/**
 * The affine in mm: the sform where its code is positive, else the qform where its code is, else voxel sizes
 * alone. In the last case nothing is known of the orientation; as in nibabel, i then runs to the patient's
 * left, j to the front, k to the head, around the middle of the volume. An sform that spans no space gives way to a sound qform.
 * Throws ImagingError where no usable affine is left. `file` is for messages only.
 */
export function orientationIn(
  given: OrientationFields,
  dims: readonly number[],
  file: string,
): NiftiOrientation {
  const fields = inMillimetres(given);
  const { sformCode, qformCode } = fields;
  const sform: Affine = [...fields.srows, 0, 0, 0, 1];
  const qform = qformCode > 0 ? soundQform(fields, dims) : undefined;
  if (sformCode > 0 && isUsableAffine(sform)) {
    const notes = qformCode > 0 ? disagreement(sform, qform, dims) : [];
    return { affine: sform, affineSource: 'sform', stored: storedIn(fields, sform), notes };
  }
  if (sformCode > 0 && qform !== undefined) {
    const notes = [`an sform (code ${sformCode}) that spans no space: the qform is taken`];
    return { affine: qform, affineSource: 'qform', notes };
  }
  const affineSource = sformCode > 0 ? 'sform' : qformCode > 0 ? 'qform' : 'pixdim';
  let affine = sform;
  if (affineSource !== 'sform') {
    const size = voxelSizes(fields.pixdim, dims, file);
    affine = affineSource === 'qform' ? qformAffine(fields, size) : centredAffine(size, dims);
  }
  if (!isUsableAffine(affine)) {
    const hint = 'Write the file again with a sound orientation.';
    const found = `[${affine.slice(0, 12).join(', ')}]`;
    throw new ImagingError({
      file,
      field: affineSource,
      expected: 'a finite, invertible affine',
      found,
      hint,
    });
  }
  const stored = affineSource === 'qform' ? storedIn(fields, affine) : undefined;
  return { affine, affineSource, stored, notes: [] };
}

function inMillimetres(fields: OrientationFields): OrientationFields {
  const toMm = fields.units === 1 ? 1000 : fields.units === 3 ? 0.001 : 1;
  const [x, y, z] = fields.qoffset;
  return {
    ...fields,
    pixdim: fields.pixdim.map((value, n) => (n >= 1 && n <= 3 ? value * toMm : value)),
    qoffset: [x * toMm, y * toMm, z * toMm],
    srows: fields.srows.map((value) => value * toMm),
  };
}

function soundQform(fields: OrientationFields, dims: readonly number[]): Affine | undefined {
  const sizes = [1, 2, 3].map((n) => Math.abs(fields.pixdim[n]));
  if (sizes.some((size, axis) => !(size > 0 && Number.isFinite(size)) && (dims[axis] ?? 1) > 1))
    return undefined;
  const affine = qformAffine(fields, voxelSizes(fields.pixdim, dims, ''));
  return isUsableAffine(affine) ? affine : undefined;
}

/** The header's fields, where they are sound: a qform that is not used may hold anything. */
function storedIn(fields: OrientationFields, affine: Affine): StoredOrientation | undefined {
  const { pixdim, qformCode, sformCode, quaternion, qoffset, srows } = fields;
  const [qfac, ...sizes] = pixdim.slice(0, 4);
  const size = sizes.map(Math.abs);
  const all = [...size, ...quaternion, ...qoffset, ...srows];
  // NIfTI-1 has float32 and codes of 16 bits.
  const fits = all.every((value) => Math.abs(Math.fround(value)) < Number.POSITIVE_INFINITY);
  if (!fits || !size.every((mm) => mm > 0)) return undefined;
  if (Math.max(Math.abs(qformCode), Math.abs(sformCode)) >= 2 ** 15) return undefined;
  const signed = [qfac < 0 ? -1 : 1, ...size];
  return { affine, pixdim: signed, qformCode, sformCode, quaternion, qoffset, srows };
}

/** A quaternion of float32 near half a turn leaves corners of a large volume this far from their place, in voxels. */
const quaternionVoxels = 0.5;
/** Two origins may differ by this part of a voxel. */
const originVoxels = 0.1;

/** What there is to say of an sform that is taken beside a qform. */
function disagreement(sform: Affine, qform: Affine | undefined, dims: readonly number[]): string[] {
  if (qform === undefined) return ['a qform that cannot be used; the sform is taken'];
  const steps = ([0, 1, 2] as const).map((n) => Math.hypot(sform[n], sform[4 + n], sform[8 + n]));
  const voxel = Math.min(...steps);
  const last = vector((axis) => (dims[axis] ?? 1) - 1);
  const apart = (index: Vector3): number => {
    const [p, q] = [applyAffine(sform, index), applyAffine(qform, index)];
    return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
  };
  const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((corner) =>
    apart([corner & 1 ? last[0] : 0, corner & 2 ? last[1] : 0, corner & 4 ? last[2] : 0]),
  );
  const most = Math.max(...corners);
  if (corners[0] <= originVoxels * voxel && most <= quaternionVoxels * voxel) return [];
  return [`sform and qform that differ by up to ${+most.toPrecision(3)} mm; the sform is taken`];
}

function vector(read: (index: number) => number): Vector3 {
  return [read(0), read(1), read(2)];
}

/** Voxel sizes along i, j, k; an axis that the file does not have counts as 1. */
function voxelSizes(pixdim: readonly number[], dims: readonly number[], file: string): Vector3 {
  return vector((axis) => {
    const size = Math.abs(pixdim[axis + 1]);
    if (size > 0 && Number.isFinite(size)) return size;
    if (axis >= dims.length || dims[axis] === 1) return 1;
    const field = `pixdim[${axis + 1}]`;
    throw new ImagingError({ file, field, expected: 'a positive voxel size', found: `${pixdim[axis + 1]}` });
  });
}

/** The rotation of the unit quaternion (a, b, c, d), times voxel size, times qfac on k (nifti1.h, method 2). */
function qformAffine(fields: OrientationFields, size: Vector3): Affine {
  let [b, c, d] = fields.quaternion;
  const square = b * b + c * c + d * d;
  const a = Math.sqrt(Math.max(0, 1 - square));
  if (square > 1) {
    const length = Math.sqrt(square);
    [b, c, d] = [b / length, c / length, d / length];
  }
  const [x, y, z] = [size[0], size[1], fields.pixdim[0] < 0 ? -size[2] : size[2]];
  const [ox, oy, oz] = fields.qoffset;
  return [
    ...[(a * a + b * b - c * c - d * d) * x, 2 * (b * c - a * d) * y, 2 * (b * d + a * c) * z, ox],
    ...[2 * (b * c + a * d) * x, (a * a + c * c - b * b - d * d) * y, 2 * (c * d - a * b) * z, oy],
    ...[2 * (b * d - a * c) * x, 2 * (c * d + a * b) * y, (a * a + d * d - b * b - c * c) * z, oz],
    ...[0, 0, 0, 1],
  ];
}

function centredAffine(size: Vector3, dims: readonly number[]): Affine {
  const middle = vector((axis) => (size[axis] * ((dims[axis] ?? 1) - 1)) / 2);
  return [-size[0], 0, 0, middle[0], 0, size[1], 0, -middle[1], 0, 0, size[2], -middle[2], 0, 0, 0, 1];
}
