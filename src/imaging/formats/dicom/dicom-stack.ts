import type { Affine, Vector3 } from '../../volume/affine.ts';
import { ImagingError } from '../../volume/errors.ts';
import type { Shape3 } from '../../volume/volume.ts';
import { affineFromLps } from '../raw-voxels.ts';
import type { Plane } from './dicom-groups.ts';
import type { DicomSlice } from './dicom-slice.ts';

/** A plane with so many pixels. */
type SizedPlane = Plane & { readonly rows: number; readonly columns: number };

/** Slices in the order of their positions, and the grid that they form. */
export interface DicomStack {
  readonly ordered: readonly DicomSlice[];
  readonly shape: Shape3;
  /** (i, j, k) to RAS+ mm. */
  readonly affine: Affine;
}

/** Two distances between slices may differ by this share of the usual one, and by this many mm. */
const gapShare = 0.05;
const gapMm = 0.01;
/** Slices nearer than this share one place. */
export const sameMm = 1e-3;
/** tan of the angle up to which a stack may lean: half a degree. */
export const mostLean = Math.tan(Math.PI / 360);

/**
 * Puts slices in order along the normal of their plane (row x column direction) and finds their grid; the distance of slices
 * comes from their positions. Only for a lone slice is it the Slice Thickness.
 * Throws ImagingError for slices of different size, spacing or orientation, at the same place, with gaps, or leaning unless `mayLean`.
 */
export function stackSlices(dir: string, slices: readonly DicomSlice[], mayLean = false): DicomStack {
  const [reference] = slices;
  for (const slice of slices) checkAlike(slice, reference);
  const normal = normalOf(reference);
  const at = (slice: DicomSlice) => dot(slice.position, normal);
  const ordered = slices.toSorted((a, b) => at(a) - at(b));
  checkGaps(dir, ordered, at);
  const step = stepOf(dir, ordered, normal, mayLean);
  const { alongRow, alongColumn, columnSpacing, rowSpacing, rows, columns } = reference;
  const axes = [scaled(alongRow, columnSpacing), scaled(alongColumn, rowSpacing), step];
  return {
    ordered,
    shape: [slices.length, rows, columns],
    affine: affineFromLps(axes, ordered[0].position),
  };
}

/** Whether two slices have one size, spacing and orientation. */
export function areAlike(slice: SizedPlane, reference: SizedPlane): boolean {
  return difference(slice, reference) === undefined;
}

function checkAlike(slice: DicomSlice, reference: DicomSlice): void {
  const found = difference(slice, reference);
  if (found === undefined) return;
  const hint = 'A scan has slices of one kind: put others in a folder of their own.';
  const of = slice.frame === undefined ? '' : ` in frame ${slice.frame}`;
  const expected = `${found.expected} as in ${nameOf(reference)}`;
  throw new ImagingError({ ...found, found: `${found.found}${of}`, file: slice.file, expected, hint });
}

/** What a slice is called: its file, and which frame of that it is. */
const nameOf = ({ file, frame }: DicomSlice): string =>
  frame === undefined ? file : `${file} (frame ${frame})`;

function difference(
  slice: SizedPlane,
  reference: SizedPlane,
): { readonly field: string; readonly expected: string; readonly found: string } | undefined {
  const differ = (field: string, expected: string, found: string) => ({ field, expected, found });
  const size = ({ columns, rows }: SizedPlane) => `${columns} x ${rows}`;
  if (size(slice) !== size(reference)) return differ('Columns x Rows', size(reference), size(slice));
  const angles = ({ alongRow, alongColumn }: SizedPlane) => [...alongRow, ...alongColumn];
  if (angles(slice).some((cosine, n) => Math.abs(cosine - angles(reference)[n]) > 1e-3))
    return differ('Image Orientation (Patient)', angles(reference).join(', '), angles(slice).join(', '));
  const spacing = ({ rowSpacing, columnSpacing }: SizedPlane) => [rowSpacing, columnSpacing];
  if (spacing(slice).some((mm, n) => Math.abs(mm / spacing(reference)[n] - 1) > 1e-3))
    return differ('Pixel Spacing', spacing(reference).join(', '), spacing(slice).join(', '));
  return undefined;
}

function checkGaps(dir: string, ordered: readonly DicomSlice[], at: (slice: DicomSlice) => number): void {
  const gaps = ordered.slice(1).map((slice, n) => at(slice) - at(ordered[n]));
  const name = (n: number) => nameOf(ordered[n]);
  const twice = gaps.findIndex((gap) => gap < sameMm);
  if (twice >= 0) {
    const count = gaps.filter((gap) => gap < sameMm).length;
    throw new ImagingError({
      file: ordered[twice + 1].file,
      field: 'Image Position (Patient)',
      expected: 'one slice at each place',
      found: `${name(twice)} at the same place${count > 1 ? `, and ${count - 1} more such pairs` : ''}`,
      hint: 'The folder holds a slice twice, or several scans (phases) under one series UID: keep one of them.',
    });
  }
  const usual = gaps.toSorted((a, b) => a - b)[Math.floor(gaps.length / 2)];
  const odd = gaps.flatMap((gap, n) =>
    Math.abs(gap - usual) > Math.max(gapMm, gapShare * usual) ? [n] : [],
  );
  if (odd.length === 0) return;
  const [n] = odd;
  const between = `${gaps[n].toFixed(3)} mm from ${path(name(n))} to ${path(name(n + 1))}`;
  const missing = Math.round(gaps[n] / usual) - 1;
  const even = Math.abs(gaps[n] / usual - (missing + 1)) < gapShare && missing > 0;
  const slices = even ? ` (${missing} missing ${missing === 1 ? 'slice' : 'slices'})` : '';
  const more = odd.length > 1 ? `, and ${odd.length - 1} more` : '';
  throw new ImagingError({
    file: dir,
    field: 'distance of slices',
    expected: `${usual.toFixed(3)} mm throughout`,
    found: `${between}${slices}${more}`,
    hint: 'Add the missing slices, or resample the series to even distances first.',
  });
}

const path = (file: string): string => file.replace(/^.*[/\\]/, '');

/** The step from slice to slice, in LPS mm. */
function stepOf(dir: string, ordered: readonly DicomSlice[], normal: Vector3, mayLean: boolean): Vector3 {
  const [first, last] = [ordered[0], ordered[ordered.length - 1]];
  if (ordered.length === 1)
    return scaled(normal, first.thickness && first.thickness > 0 ? first.thickness : 1);
  const step = scaled(minus(last.position, first.position), 1 / (ordered.length - 1));
  const rise = dot(step, normal);
  const lean = Math.hypot(...minus(step, scaled(normal, rise))) / rise;
  ordered.forEach((slice, n) => {
    // What is left beside the straight line from the first to the last slice.
    const place = minus(slice.position, first.position);
    const aside = minus(place, scaled(step, n));
    const across = Math.hypot(...minus(aside, scaled(normal, dot(aside, normal))));
    const pixel = Math.min(first.rowSpacing, first.columnSpacing);
    const isUpright = mayLean || lean <= mostLean;
    if (isUpright && across <= 0.1 * pixel + sameMm) return;
    const angle = (Math.atan(lean) * 180) / Math.PI;
    throw new ImagingError({
      file: isUpright ? slice.file : dir,
      field: 'Image Position (Patient)',
      expected: 'slices that lie straight above each other',
      found: isUpright
        ? `${slice.frame === undefined ? 'one' : `frame ${slice.frame}`} that is ${across.toFixed(3)} mm aside`
        : `a stack that leans by ${angle.toFixed(1)} degrees (gantry tilt)`,
      hint: isUpright
        ? 'Take the slice out of the folder, or convert the series to NIfTI, for example with dcm2niix.'
        : 'Give --resample-tilt, which brings it to an upright grid, or straighten it first, for example with dcm2niix.',
    });
  });
  return step;
}

/** The direction in which slices follow each other: a unit vector. */
export const normalOf = ({ alongRow, alongColumn }: Plane): Vector3 => cross(alongRow, alongColumn);

export const dot = (a: Vector3, b: Vector3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const minus = (a: Vector3, b: Vector3): Vector3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scaled = (v: Vector3, by: number): Vector3 => [v[0] * by, v[1] * by, v[2] * by];
const cross = (a: Vector3, b: Vector3): Vector3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
