import { readGivenScan } from '../imaging/formats/any-scan.ts';
import { stackOfFile, stackOfFolder } from '../imaging/formats/dicom/dicom-series.ts';
import { givenFiles, isGivenFolder } from '../imaging/formats/given-files.ts';
import { DicomSegFrames } from '../imaging/formats/segmentation/dicom-seg-file.ts';
import { segmentsOf } from '../imaging/formats/segmentation/segments.ts';
import type { Volume } from '../imaging/volume/volume.ts';
import type { WebRun } from '../train/record/web-run.ts';
import { type GivenScan, nameOf } from './given-scan.ts';

/**
 * The label map of a series of DICOM that was given, as the pieces of a file of DICOM (Segmentation Storage), a frame of bits for each class
 * and slice. Its identifiers are new each time. Throws ImagingError where the scan is no series of DICOM, and for names of classes that its
 * character set has not.
 */
export async function dicomSegOf(
  scan: GivenScan,
  { data, ...grid }: Volume<Uint8Array>,
  { classes, classValues }: Pick<WebRun, 'classes' | 'classValues'>,
): Promise<Uint8Array[]> {
  const [{ file }] = scan.channels;
  const options = scan.series === undefined ? {} : { series: scan.series };
  const open = isGivenFolder(scan.files, file) ? stackOfFolder : stackOfFile;
  const series = await open(givenFiles(scan.files), file, options);
  const segments = segmentsOf(classes, classValues);
  const frames = new DicomSegFrames(`${nameOf(scan)}.dcm`, { kind: 'dicom-seg', grid, segments, series });
  const [depth, rows, columns] = grid.shape;
  const plane = rows * columns;
  for (let k = 0; k < depth; k++) frames.add(data.subarray(k * plane, (k + 1) * plane));
  return frames.end(() => () => globalThis.crypto.getRandomValues(new Uint8Array(16)));
}

/** A label map from the bytes of a NIfTI file that was made of one. */
export async function labelsIn(nifti: Uint8Array): Promise<Volume<Uint8Array>> {
  const { data, shape, affine } = await readGivenScan(new Map([['labels.nii', nifti]]), 'labels.nii');
  return { data: Uint8Array.from(data), shape, affine };
}
