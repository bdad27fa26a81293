import { readOpenSlabs } from '../formats/any-scan.ts';
import { openScan } from '../formats/scan.ts';
import { isZarr } from '../store/format.ts';
import { readStoredLabels } from '../store/stored-labels.ts';
import { affineLean, PERPENDICULAR } from '../volume/affine.ts';
import { ImagingError } from '../volume/errors.ts';
import { codeTable, ignoresVoxels, knownValues, type LabelCodes } from '../volume/label-codes.ts';
import { boxPlacer, canonicalGrid, type Orientation, orientationOnto } from '../volume/orientation.ts';
import type { OpenScan, ScanHeader, ScanReadOptions } from '../volume/scan-types.ts';
import { describeGrid, type Grid, type Volume, type VoxelArray, voxelCount } from '../volume/volume.ts';
import { boxShape, type VoxelBox, wholeBox } from '../volume/voxel-source.ts';

/**
 * Reads a label map in RAS+ order that lies voxel for voxel on `image`, a RAS+ grid; the file may have another axis order and
 * any element type. Takes one byte a voxel beside a few slices.
 * Throws ImagingError with both geometries where the file covers another grid, and for the first voxel that is not within 1e-3 of a
 * whole number from 0 to 255 or, where `names` is given, none of its indices. With `codes` these say which class a value is.
 */
export async function loadLabels(
  file: string,
  image: Grid,
  names?: readonly string[],
  codes?: LabelCodes,
): Promise<Volume<Uint8Array>> {
  const box = wholeBox(image.shape);
  return {
    data: await loadLabelBox(file, image, box, names, codes),
    shape: image.shape,
    affine: image.affine,
  };
}

/**
 * As {@link loadLabels}, the labels of a box alone: takes one byte for each of its voxels. The file is read and checked to its end; of
 * a store only the chunks of the box are, and of a picture its tiles.
 */
export async function loadLabelBox(
  file: string,
  image: Grid,
  box: VoxelBox,
  names?: readonly string[],
  codes?: LabelCodes,
): Promise<Uint8Array> {
  // The values of a store are classes.
  if (isZarr(file)) return readStoredLabels(file, image.shape, box, names, ignoresVoxels(codes));
  const options = labelOptions(image, names, codes);
  const scan = await openScan(file, options);
  const about = { file, names, codes };
  if (scan.box !== undefined) return partOf(scan, image, box, about);
  return readOpenSlabs(scan, options, (stored) => {
    const orientation = orientationIn(stored, image);
    const data = new Uint8Array(voxelCount(boxShape(box)));
    const place = boxPlacer(stored, box, data, orientation);
    const [, height, width] = stored.shape;
    let bytes = new Uint8Array(0);
    return {
      take(voxels, first) {
        if (bytes.length < voxels.length) bytes = new Uint8Array(voxels.length);
        const labels = bytes.subarray(0, voxels.length);
        labels.set(voxels);
        const placeOf = (n: number) => [
          first + Math.floor(n / (width * height)),
          Math.floor(n / width) % height,
          n % width,
        ];
        classify(labels, voxels, { ...about, placeOf });
        place(labels, first);
      },
      end: () => data,
    };
  });
}

/** How the axes of a label map lie on an image. Throws ImagingError where it covers another grid. */
function orientationIn(stored: ScanHeader, image: Grid): Orientation {
  const orientation = orientationOnto(stored, image);
  if (orientation !== undefined) return orientation;
  throw new ImagingError({
    file: stored.file,
    field: 'geometry',
    expected: `the image's grid (in RAS+ order: ${describeGrid(image)})`,
    found: `${describeGrid(canonicalGrid(stored))} in RAS+ order`,
    hint: 'Bring the label map to the grid of its image, or correct its affine.',
  });
}

/** Voxels of a label map that are read at once where a box can be read by itself. */
const voxelsAtOnce = 2 ** 22;

/** The labels of a box of a file of which boxes can be read, and whose axes are those of the image. */
async function partOf(
  scan: OpenScan,
  image: Grid,
  { start, end }: VoxelBox,
  about: Omit<LabelFile, 'placeOf'>,
): Promise<Uint8Array> {
  try {
    orientationIn(scan.header, image);
    const labels = new Uint8Array(voxelCount(boxShape({ start, end })));
    const width = end[2] - start[2];
    const rows = Math.max(1, Math.floor(voxelsAtOnce / Math.max(1, width)));
    for (let row = start[1]; labels.length > 0 && row < end[1]; row += rows) {
      const part: VoxelBox = { start: [0, row, start[2]], end: [1, Math.min(row + rows, end[1]), end[2]] };
      const voxels = new Uint16Array(voxelCount(boxShape(part)));
      await scan.box?.(part, voxels);
      const at = (row - start[1]) * width;
      const own = labels.subarray(at, at + voxels.length);
      own.set(voxels);
      const placeOf = (n: number) => [0, row + Math.floor(n / width), start[2] + (n % width)];
      classify(own, voxels, { ...about, placeOf });
    }
    return labels;
  } finally {
    await scan.close();
  }
}

/** How a label map of an image is read; a structure set by the names of its labels. */
export function labelOptions(
  image: Grid | undefined,
  names?: readonly string[],
  codes?: LabelCodes,
): ScanReadOptions {
  const structures =
    names && new Map(names.slice(1).map((name, n) => [name, codes?.classValues?.[n + 1] ?? n + 1]));
  // A label map that leans is brought to an image that was resampled upright: on any other upright grid it does not lie.
  const isUpright = image !== undefined && affineLean(image.affine) <= PERPENDICULAR;
  return {
    ...{ labels: true, ...(image && { onto: image }), ...(isUpright && { lean: 'resample' }) },
    ...(structures && { structures }),
  };
}

/** A value may be this far from a whole number and still be that label: slopes and float32 round. */
const labelTolerance = 1e-3;

/** The label 0 to 255 that a voxel stands for; -1 where it is none. */
export function nearestLabel(value: number): number {
  const near = Math.round(value);
  // Not -0, which is no index.
  return near >= 0 && near <= 255 && Math.abs(value - near) <= labelTolerance ? near + 0 : -1;
}

interface LabelFile {
  readonly file: string;
  readonly names?: readonly string[];
  readonly codes?: LabelCodes;
  /** Where a voxel lies, along (depth, height, width). */
  readonly placeOf: (n: number) => readonly number[];
}

/** Makes classes of `labels`, the voxels as bytes. Refuses the first voxel that is none. */
function classify(labels: Uint8Array, voxels: VoxelArray, { file, names, codes, placeOf }: LabelFile): void {
  const table = codeTable(codes, names?.length);
  for (let n = 0; n < voxels.length; n++) {
    const near = labels[n] === voxels[n] ? labels[n] : nearestLabel(voxels[n]);
    if (near >= 0 && table[near] >= 0) {
      labels[n] = table[near];
      continue;
    }
    const known = knownValues(names, codes);
    throw new ImagingError({
      file,
      field: `label at voxel (depth, height, width) = (${placeOf(n).join(', ')})`,
      expected: known === undefined ? 'a whole number from 0 to 255' : `one of ${known}`,
      found: `${voxels[n]}`,
      hint: 'Correct the label map, or the labels in dataset.json, or say what the value stands for (--map-labels).',
    });
  }
}
