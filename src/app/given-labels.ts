import { readGivenScan } from '../imaging/formats/any-scan.ts';
import { recut } from '../imaging/preprocess/prepared-grid.ts';
import { resampleLabels } from '../imaging/preprocess/resample-labels.ts';
import { ImagingError } from '../imaging/volume/errors.ts';
import { canonicalGrid, toCanonical } from '../imaging/volume/orientation.ts';
import type { PreparedGeometry } from '../imaging/volume/prepared-case.ts';
import { describeGrid, sameGrid, type Volume } from '../imaging/volume/volume.ts';
import { type GivenScan, nameOf } from './given-scan.ts';

// The label map of a scan that was given.

/** A label map as a network learns from it. */
export interface GivenLabels {
  /** Classes, on the grid of the prepared scan. */
  readonly labels: Uint8Array;
  /** The value of each class in the file: 0 and the others that it has, rising. */
  readonly values: readonly number[];
}

/**
 * Reads the label map of a prepared scan. Throws ImagingError where it lies on another grid than the scan's file, where a voxel is no whole
 * number from 0 to 255, and where all of them are background.
 */
export async function readGivenLabels(given: GivenScan, geometry: PreparedGeometry): Promise<GivenLabels> {
  const [{ file }] = given.channels;
  const stored = await readGivenScan(given.files, file);
  const own = canonicalGrid(stored);
  const wanted = canonicalGrid(geometry.original);
  if (!sameGrid(own, wanted))
    throw new ImagingError({
      file: nameOf(given),
      field: 'geometry of the label map',
      expected: `the grid of the scan (in RAS+ order: ${describeGrid(wanted)})`,
      found: `${describeGrid(own)} in RAS+ order`,
      hint: 'Save the label map on the voxels of the scan.',
    });
  const { volume } = toCanonical({ ...stored, data: asBytes(nameOf(given), stored) });
  const values = valuesIn(volume.data);
  if (values.length === 1)
    throw new ImagingError({
      file: nameOf(given),
      field: 'labels',
      expected: 'voxels of at least one class above 0',
      found: 'background alone',
    });
  const classOf = new Uint8Array(256);
  for (const [cls, value] of values.entries()) classOf[value] = cls;
  const { data } = volume;
  for (let n = 0; n < data.length; n++) data[n] = classOf[data[n]];
  const { filled, shape } = geometry;
  return { labels: recut(resampleLabels(volume, { shape: filled }).data, filled, shape), values };
}

/** A copy; labels are whole numbers, but for what a file's slope makes of them. */
function asBytes(file: string, { data, shape }: Volume): Uint8Array {
  const bytes = new Uint8Array(data.length);
  for (let n = 0; n < data.length; n++) {
    const value = Math.round(data[n]);
    if (!(Math.abs(data[n] - value) <= 1e-3) || value < 0 || value > 255)
      throw new ImagingError({
        file,
        field: `label of voxel ${n % shape[2]}, ${Math.floor(n / shape[2]) % shape[1]}, ${Math.floor(n / (shape[1] * shape[2]))}`,
        expected: 'a whole number from 0 to 255',
        found: `${data[n]}`,
        hint: 'Is this the label map, and not the scan?',
      });
    bytes[n] = value;
  }
  return bytes;
}

/** 0 and the values that there are, rising. */
function valuesIn(labels: Uint8Array): readonly number[] {
  const there = new Uint8Array(256);
  there[0] = 1;
  for (let n = 0; n < labels.length; n++) there[labels[n]] = 1;
  return [...there.keys()].filter((value) => there[value] === 1);
}
