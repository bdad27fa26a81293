import path from 'node:path';
import type { StopSignal } from '../../../core/index.ts';
import { makeFolder, writeTextAtomically } from '../../../files/index.ts';
import {
  type ChannelledCase,
  createNiftiWriter,
  LABEL_LEVEL,
  labelSet,
  labelStatistics,
  type NiftiWriter,
  readScanSlabs,
  type Structure,
  type StructureStatistics,
  writeSlices,
} from '../../../imaging/index.ts';
import { lesionOf } from '../../config/known-names.ts';
import { channelNamesOf } from '../../config/normalization.ts';
import type { OpenRun } from '../open-run.ts';
import { namesOfFiles, outputStem } from '../probabilities.ts';
import { csvText } from './csv.ts';

// What is made of a segmentation once it is written: a file for each structure, and what is known of each.

/** Files that are made of a segmentation, where they are asked for. */
export interface FurtherFiles {
  /** Masks by name of the class, or region. */
  readonly masks?: Readonly<Record<string, string>>;
  readonly statistics?: { readonly json: string; readonly csv: string };
}

/** The structures that a run finds: classes above 0, or regions, by the values that label maps have. */
export function structuresOf({ classes, config }: Pick<OpenRun, 'classes' | 'config'>): Structure[] {
  const { regions, classValues } = config;
  const value = (cls: number): number => classValues?.[cls] ?? cls;
  const all: Structure[] = regions
    ? regions.map(({ name, classes: of }) => ({ name, values: of.map(value) }))
    : classes.slice(1).map((name, n) => ({ name, values: [value(n + 1)] }));
  const lesion = lesionOf(all.map(({ name }) => name));
  return all.map((one) => (one.name === lesion ? { ...one, parts: true } : one));
}

/** The files of the structures of a segmentation `NAME.nii.gz`: `NAME/STRUCTURE.nii.gz`. */
export const structureFiles = (output: string, structures: readonly Structure[]): string[] =>
  namesOfFiles(
    output,
    structures.map(({ name }) => name),
    '/',
  );

/** The files of statistics beside a segmentation. */
export function statisticsFiles(output: string): { readonly json: string; readonly csv: string } {
  const stem = `${outputStem(output)}_statistics`;
  return { json: `${stem}.json`, csv: `${stem}.csv` };
}

/**
 * Writes a mask of 0 and 1 for each structure of a segmentation, a few slices at a time, each on the grid of the file. Files appear
 * whole; gives their names.
 */
async function writeStructures(
  output: string,
  structures: readonly Structure[],
  signal?: StopSignal,
): Promise<string[]> {
  const files = structureFiles(output, structures);
  const inside = structures.map(({ values }) => labelSet(values));
  makeFolder(path.dirname(files[0]));
  const slabs: Uint8Array[] = [];
  const grid = await readScanSlabs(output, {}, (header) => ({
    take: (voxels) => void slabs.push(Uint8Array.from(voxels)),
    end: () => header,
  }));
  for (const [n, file] of files.entries()) {
    signal?.throwIfAborted();
    const writer: NiftiWriter = await createNiftiWriter(file, grid, {
      type: 'uint8',
      gzipLevel: LABEL_LEVEL,
    });
    const plane = grid.shape[1] * grid.shape[2];
    try {
      for (const labels of slabs)
        await writeSlices(
          writer,
          labels.map((value) => inside[n][value]),
          plane,
        );
      await writer.finish();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }
  return files;
}

/** Writes volumes and mean intensities of the structures of a segmentation as JSON and as CSV, each whole. */
async function writeStatistics(
  output: string,
  scan: ChannelledCase,
  structures: readonly Structure[],
  channels: readonly string[],
): Promise<readonly StructureStatistics[]> {
  const found = await labelStatistics(scan, output, structures);
  const { json, csv } = statisticsFiles(output);
  const content = { segmentation: path.basename(output), channels, structures: found };
  await writeTextAtomically(json, `${JSON.stringify(content, null, 2)}\n`);
  await writeTextAtomically(csv, csvOf(found, channels));
  return found;
}

/** A line for each structure, and below it one for each of its parts, numbered from 1. */
function csvOf(structures: readonly StructureStatistics[], channels: readonly string[]): string {
  const head = [
    'structure',
    'part',
    'voxels',
    'ml',
    ...channels.map((name) => `mean ${name}`),
    'x mm',
    'y mm',
    'z mm',
  ];
  const rows = structures.flatMap(({ name, voxels, ml, means, parts = [] }) => [
    [name, '', voxels, ml, ...means, '', '', ''],
    ...parts.map((part, n) => [name, n + 1, part.voxels, part.ml, ...part.means, ...part.mm]),
  ]);
  return csvText([head, ...rows]);
}

/** What is asked for. */
interface Wanted {
  readonly oneFilePerClass?: boolean;
  readonly statistics?: boolean;
  readonly signal?: StopSignal;
}

/** Writes what is asked for beside a segmentation that is there, and gives the names of the files. */
export async function writeFurther(
  run: OpenRun,
  scan: ChannelledCase,
  output: string,
  { oneFilePerClass, statistics, signal }: Wanted,
): Promise<FurtherFiles> {
  const structures = structuresOf(run);
  const masks = oneFilePerClass ? await writeStructures(output, structures, signal) : undefined;
  if (statistics) await writeStatistics(output, scan, structures, channelNamesOf(run.config));
  return {
    ...(masks && { masks: Object.fromEntries(structures.map(({ name }, n) => [name, masks[n]])) }),
    ...(statistics && { statistics: statisticsFiles(output) }),
  };
}
