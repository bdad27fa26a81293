import { readScanSlabs } from '../formats/scan.ts';
import { isZarr } from '../store/format.ts';
import { readStoredLabels } from '../store/stored-labels.ts';
import { affineLean, PERPENDICULAR } from '../volume/affine.ts';
import { ImagingError } from '../volume/errors.ts';
import { codeTable, ignoresVoxels, knownValues, type LabelCodes } from '../volume/label-codes.ts';
import { boxPlacer, canonicalGrid, orientationOnto } from '../volume/orientation.ts';
import type { ScanReadOptions } from '../volume/scan-types.ts';
import {
  describeGrid,
  type Grid,
  type Shape3,
  type Volume,
  type VoxelArray,
  voxelCount,
} from '../volume/volume.ts';
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
 * a store only the chunks of the box are.
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
  return readScanSlabs(file, labelOptions(image, names, codes), (stored) => {
    const orientation = orientationOnto(stored, image);
    if (orientation === undefined) {
      throw new ImagingError({
        file,
        field: 'geometry',
        expected: `the image's grid (in RAS+ order: ${describeGrid(image)})`,
        found: `${describeGrid(canonicalGrid(stored))} in RAS+ order`,
        hint: 'Bring the label map to the grid of its image, or correct its affine.',
      });
    }
    const data = new Uint8Array(voxelCount(boxShape(box)));
    const place = boxPlacer(stored, box, data, orientation);
    let bytes = new Uint8Array(0);
    return {
      take(voxels, first) {
        if (bytes.length < voxels.length) bytes = new Uint8Array(voxels.length);
        const labels = bytes.subarray(0, voxels.length);
        labels.set(voxels);
        classify(labels, voxels, first, { file, names, codes, shape: stored.shape });
        place(labels, first);
      },
      end: () => data,
    };
  });
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
  readonly shape: Shape3;
}

/** Makes classes of `labels`, the voxels as bytes, from slice `first` on. Refuses the first voxel that is none. */
function classify(
  labels: Uint8Array,
  voxels: VoxelArray,
  first: number,
  { file, names, codes, shape }: LabelFile,
): void {
  const table = codeTable(codes, names?.length);
  for (let n = 0; n < voxels.length; n++) {
    const near = labels[n] === voxels[n] ? labels[n] : nearestLabel(voxels[n]);
    if (near >= 0 && table[near] >= 0) {
      labels[n] = table[near];
      continue;
    }
    const [, height, width] = shape;
    const index = [first + Math.floor(n / (width * height)), Math.floor(n / width) % height, n % width];
    const known = knownValues(names, codes);
    throw new ImagingError({
      file,
      field: `label at voxel (depth, height, width) = (${index.join(', ')})`,
      expected: known === undefined ? 'a whole number from 0 to 255' : `one of ${known}`,
      found: `${voxels[n]}`,
      hint: 'Correct the label map, or the labels in dataset.json, or say what the value stands for (--map-labels).',
    });
  }
}
