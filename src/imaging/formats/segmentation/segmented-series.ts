import { stat } from 'node:fs/promises';
import { isZarr } from '../../store/format.ts';
import type { ScanReadOptions } from '../../volume/scan-types.ts';
import { readError } from '../byte-reader.ts';
import { readDicomFile } from '../dicom/dicom-file.ts';
import { type SeriesStack, stackOfFile, stackOfFolder } from '../dicom/dicom-series.ts';
import { diskFiles } from '../disk-files.ts';
import { checkTexts } from './dicom-seg-texts.ts';
import { needsSeries } from './label-writer.ts';
import type { Segment } from './segments.ts';

/**
 * The series of DICOM that a scan is, for a segmentation `output` of it; reads the headers of its files. Throws ImagingError where the scan
 * is of another format, and for names of segments that its character set has not.
 */
export async function openSegmentedSeries(
  output: string,
  scan: string,
  options: Pick<ScanReadOptions, 'series' | 'volume' | 'lean'>,
  segments: readonly Segment[],
): Promise<SeriesStack> {
  const status = await stat(scan).catch((error: unknown) => {
    throw readError(scan, error);
  });
  const isDicom = status.isDirectory() ? !isZarr(scan) : (await readDicomFile(diskFiles, scan)) !== undefined;
  if (!isDicom) throw needsSeries(output);
  const open = status.isDirectory() ? stackOfFolder : stackOfFile;
  const stack = await open(diskFiles, scan, options);
  checkTexts(output, stack, segments);
  return stack;
}
