import type { Color } from './segments.ts';

/** Rows of the matrix from linear sRGB to XYZ under D50, the white of profiles. */
const toXyz = [
  [0.4360747, 0.3850649, 0.1430804],
  [0.2225045, 0.7168786, 0.0606169],
  [0.0139322, 0.0971045, 0.7141733],
];
const white = [0.96422, 1, 0.82521];

/**
 * An sRGB colour as CIELab in three numbers of 16 bits, as DICOM has it (PS3.3, C.10.7.1.1): L* 0 to 100 and a*, b* -128 to 127 as
 * 0 to 65535.
 */
export function labOf(color: Color): readonly [number, number, number] {
  const linear = color.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const [x, y, z] = toXyz.map((row, n) => {
    const share = row.reduce((sum, weight, part) => sum + weight * linear[part], 0) / white[n];
    return share > 216 / 24389 ? Math.cbrt(share) : ((24389 / 27) * share + 16) / 116;
  });
  const [l, a, b] = [116 * y - 16, 500 * (x - y), 200 * (y - z)];
  const scaled = (value: number) => Math.max(0, Math.min(65535, Math.round(value)));
  return [scaled((l / 100) * 65535), scaled(((a + 128) / 255) * 65535), scaled(((b + 128) / 255) * 65535)];
}
