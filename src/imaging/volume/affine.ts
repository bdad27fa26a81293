/**
 * A 4x4 matrix, row by row (16 numbers), that maps voxel indices (i, j, k) = (width, height, depth) to
 * millimetres in RAS+ patient space: x grows to the patient's right, y to the front, z to the head.
 * The last row is 0 0 0 1.
 */
export type Affine = readonly number[];

/** A point, or one value for each of the x, y and z axes (or i, j and k). */
export type Vector3 = readonly [number, number, number];

/** The affine of voxels of the given size in mm along (i, j, k), with voxel (0, 0, 0) at `origin` in mm. */
export function scalingAffine(size: Vector3, origin: Vector3 = [0, 0, 0]): Affine {
  return [size[0], 0, 0, origin[0], 0, size[1], 0, origin[1], 0, 0, size[2], origin[2], 0, 0, 0, 1];
}

/** The product a * b: first b is applied, then a. */
export function multiplyAffine(a: Affine, b: Affine): Affine {
  const out: number[] = [];
  for (let row = 0; row < 4; row++) {
    for (let column = 0; column < 4; column++) {
      let sum = 0;
      for (let n = 0; n < 4; n++) sum += a[row * 4 + n] * b[n * 4 + column];
      out.push(sum);
    }
  }
  return out;
}

/** The point in mm at voxel index (i, j, k), which may be fractional. */
export function applyAffine(affine: Affine, [i, j, k]: Vector3): Vector3 {
  const at = (row: number) =>
    affine[row * 4] * i + affine[row * 4 + 1] * j + affine[row * 4 + 2] * k + affine[row * 4 + 3];
  return [at(0), at(1), at(2)];
}

/** Column n of the 3x3 part: the step in mm between neighbours along i (0), j (1) or k (2). */
export function affineColumn(affine: Affine, n: 0 | 1 | 2): Vector3 {
  return [affine[n], affine[4 + n], affine[8 + n]];
}

/** The determinant of the 3x3 part, in mm^3 a voxel; negative where the axes are left-handed. */
export function affineDeterminant(affine: Affine): number {
  const [a, b, c] = [affineColumn(affine, 0), affineColumn(affine, 1), affineColumn(affine, 2)];
  return (
    a[0] * (b[1] * c[2] - b[2] * c[1]) -
    a[1] * (b[0] * c[2] - b[2] * c[0]) +
    a[2] * (b[0] * c[1] - b[1] * c[0])
  );
}

/** The Euclidean length of a vector. */
export function vectorLength(v: Vector3): number {
  return Math.hypot(v[0], v[1], v[2]);
}

/**
 * How far two of the axes are from being perpendicular, as the largest cosine between two of them: 0 where none leans, as after a
 * gantry tilt that is kept as shear.
 */
export function affineLean(affine: Affine): number {
  const unit = ([0, 1, 2] as const).map((n) => {
    const column = affineColumn(affine, n);
    const length = vectorLength(column);
    return column.map((value) => value / length);
  });
  const cosine = (p: number, q: number) => unit[p].reduce((sum, value, n) => sum + value * unit[q][n], 0);
  return Math.max(Math.abs(cosine(0, 1)), Math.abs(cosine(0, 2)), Math.abs(cosine(1, 2)));
}

/** Up to this cosine between two axes they count as perpendicular: headers round to 6 digits. */
export const PERPENDICULAR = 1e-4;

/** Whether all numbers are finite and the three axes span space, so that every voxel has its own place. */
export function isUsableAffine(affine: Affine): boolean {
  if (affine.length !== 16 || !affine.every(Number.isFinite)) return false;
  const lengths = ([0, 1, 2] as const).map((n) => vectorLength(affineColumn(affine, n)));
  const volume = lengths[0] * lengths[1] * lengths[2];
  return volume > 0 && Math.abs(affineDeterminant(affine)) > 1e-6 * volume;
}
