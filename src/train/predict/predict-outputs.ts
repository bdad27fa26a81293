import path from 'node:path';
import { fail } from '../../core/index.ts';
import { checkOutputs, makeFolder } from '../../files/index.ts';
import {
  isDicomFormat,
  isPictureLabelFormat,
  type LabelFormat,
  readScanHeader,
  type ScanPlan,
  voxelCount,
} from '../../imaging/index.ts';
import type { Processes } from '../../machine/index.ts';
import { together } from '../../run/index.ts';
import type { OpenRun } from './open-run.ts';
import { labelNamesFile, outlinesFile } from './outputs/label-target.ts';
import { statisticsFiles, structureFiles, structuresOf } from './outputs/structures.ts';
import { probabilityNames } from './probabilities.ts';
import { channelsOfInput } from './scan-channels.ts';
import { checkInput, filesOfScan, isFolder, outputFor, type ScanToSegment } from './scans.ts';

interface ScanSettings {
  readonly input: string;
  readonly output: string;
  readonly series?: string;
  readonly volume?: number;
  readonly resampleTilt?: boolean;
  readonly format?: LabelFormat;
}

interface OutputSettings {
  readonly processes?: Processes;
  readonly probabilities?: boolean;
  readonly oneFilePerClass?: boolean;
  readonly statistics?: boolean;
  readonly labelNames?: boolean;
  readonly outlines?: boolean;
  readonly overwrite?: boolean;
}

/**
 * A single scan and its output, for a run with these channels; what is wrong with the scan is told before what is wrong with the
 * output's name.
 */
export async function scanFor(
  { input, output, series, volume, resampleTilt, format }: ScanSettings,
  channels: readonly string[],
): Promise<ScanToSegment> {
  if (channels.length === 1 || !input.includes(',')) await checkInput(input);
  const scan = await channelsOfInput(input, channels, { series, volume });
  try {
    return await outputFor(scan, output, format);
  } catch (error) {
    if (await isFolder(input))
      await readScanHeader(input, { series, volume, ...(resampleTilt && { lean: 'keep' }) });
    throw error;
  }
}

/** Refuses outputs that are read or there, before anything is written, and makes their folders. Process 0 does it for all. */
export async function prepareOutputs(
  run: OpenRun,
  scans: readonly ScanToSegment[],
  settings: OutputSettings,
): Promise<void> {
  const { processes, probabilities = false, overwrite } = settings;
  await together(processes, 'the files to write', async () => {
    if ((processes?.index ?? 0) !== 0) return;
    for (const scan of scans) checkFurther(scan, settings);
    const { scores, reads: filesOfRun } = run;
    const reads = [...filesOfRun];
    for (const scan of scans) reads.push(...(await filesOfScan(scan)));
    const names = probabilities ? scores : [];
    const structures = settings.oneFilePerClass ? structuresOf(run) : [];
    const writes = scans.flatMap(({ output }) => [
      ...[output, ...probabilityNames(output, names), ...structureFiles(output, structures)],
      ...(settings.labelNames ? [labelNamesFile(output)] : []),
      ...(settings.outlines ? [outlinesFile(output)] : []),
      ...(settings.statistics ? Object.values(statisticsFiles(output)) : []),
    ]);
    checkOutputs({ reads, writes, overwrite });
    for (const { output } of scans) makeFolder(path.dirname(output));
  });
}

/** Masks and statistics are made of the label map that was written, by its values, and are volumes; outlines are those of pictures. */
function checkFurther(
  { output, format }: ScanToSegment,
  { oneFilePerClass, statistics, outlines }: OutputSettings,
): void {
  if (outlines && !isPictureLabelFormat(format))
    fail({
      where: output,
      problem: 'outlines are made of the label map of a picture',
      expected: 'a label map in TIFF beside them',
      found: format,
      hint: 'Write .tif, or leave out --outlines',
    });
  const picture = isPictureLabelFormat(format);
  if (!(isDicomFormat(format) || picture) || !(oneFilePerClass || statistics)) return;
  fail({
    where: output,
    problem: `files of classes and statistics are not made of a ${picture ? 'label map in TIFF' : 'segmentation of DICOM'}`,
    expected: 'a label map of another format beside them',
    found: format,
    hint: `Write .nii.gz, .nrrd, .seg.nrrd or .mha with these flags, and ${picture ? 'TIFF' : 'DICOM'} without`,
  });
}

/** Voxels of what is judged: of a region those of all of its classes. `counts`: by value. */
export function voxelsByName(
  { classes, config, judged }: OpenRun,
  counts: Float64Array,
): Record<string, number> {
  const { classValues, regions } = config;
  const of = (cls: number): number => counts[classValues?.[cls] ?? cls];
  const sets = regions ? [[0], ...regions.map((region) => region.classes)] : classes.map((_, cls) => [cls]);
  return Object.fromEntries(judged.map((name, n) => [name, sets[n].reduce((sum, cls) => sum + of(cls), 0)]));
}

/** Bytes of volumes that a process holds while it segments a scan: the scan as it is stored, and the labels. */
export function bytesBeside({ geometry, voxelBytes }: ScanPlan): number {
  return voxelBytes * voxelCount(geometry.original.shape) + voxelCount(geometry.shape);
}
