import { affineColumn, vectorLength } from './affine.ts';
import { ImagingError } from './errors.ts';
import { isPictureFormat, type ScanFormat, type ScanHeader } from './scan-types.ts';

// Sizes that no scan of a patient, an animal or a specimen has. They come from a wrong unit or a damaged header, and whatever is
// computed with them takes for ever or fails far from the file.

/** mm of a voxel along an axis, of the whole along an axis, and from the origin of the scanner. */
const leastVoxel = 1e-3;
const leastPixel = 1e-5;
const mostVoxel = 100;
const mostExtent = 10_000;
const mostOffset = 1e6;

/** Where each format says how large voxels are, and in which unit. */
const places: Readonly<Record<ScanFormat, string>> = {
  NIfTI: 'voxel size (sform or pixdim, in the unit of xyzt_units)',
  NRRD: 'voxel size (space directions or spacings, in the unit of space units)',
  MetaImage: 'voxel size (ElementSpacing)',
  DICOM: 'voxel size (Pixel Spacing, Image Position)',
  Zarr: 'voxel size (affine)',
  PNG: 'pixel size (pHYs)',
  JPEG: 'pixel size (density of JFIF)',
  TIFF: 'pixel size (resolution, or what the description says)',
  GeoJSON: 'pixel size of the image',
};

/** Throws ImagingError for a header whose voxels, extent or place are beyond sense. */
export function checkPlausible({
  file,
  format,
  shape,
  affine,
}: Pick<ScanHeader, 'file' | 'format' | 'shape' | 'affine'>): void {
  const hint = 'Correct the spacing or its unit in the header.';
  const sizes = ([0, 1, 2] as const).map((axis) => vectorLength(affineColumn(affine, axis)));
  const inWords = (values: readonly number[]) =>
    `${values.map((value) => +value.toPrecision(4)).join(' x ')} mm`;
  // A store may hold pictures.
  const least = isPictureFormat(format) || (format === 'Zarr' && shape[0] === 1) ? leastPixel : leastVoxel;
  if (!sizes.every((mm) => mm >= least && mm <= mostVoxel)) {
    const expected = `${least} to ${mostVoxel} mm along each axis`;
    throw new ImagingError({ file, field: places[format], expected, found: inWords(sizes), hint });
  }
  const extents = sizes.map((mm, axis) => mm * shape[2 - axis]);
  if (!extents.every((mm) => mm <= mostExtent)) {
    const found = `${inWords(extents)} (${shape.toReversed().join(' x ')} voxels of ${inWords(sizes)})`;
    const expected = `a scan of at most ${mostExtent / 1000} m along each axis`;
    throw new ImagingError({ file, field: places[format], expected, found, hint });
  }
  const origin = [affine[3], affine[7], affine[11]];
  if (origin.every((mm) => Math.abs(mm) <= mostOffset)) return;
  const expected = `at most ${mostOffset / 1e6} km from the origin`;
  const found = `the first voxel at (${origin.map((mm) => +mm.toPrecision(4)).join(', ')}) mm`;
  throw new ImagingError({
    file,
    field: 'origin',
    expected,
    found,
    hint: 'Correct the origin in the header.',
  });
}
