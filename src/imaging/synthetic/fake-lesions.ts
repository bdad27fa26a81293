import path from 'node:path';
import { checkOutputs, inside, makeFolder } from '../../files/index.ts';
import { drawChanges } from '../augment/augment-draw.ts';
import {
  countLabels,
  emptyCells,
  type LesionPlan,
  paintLesions,
  planLesions,
} from '../augment/augment-lesions.ts';
import { checkChannelCount } from '../dataset/channels.ts';
import { type Case, openDataset } from '../dataset/dataset.ts';
import type { DatasetPatterns } from '../dataset/dataset-files.ts';
import { writeDescription } from '../dataset/dataset-json.ts';
import { withLabelMaps } from '../dataset/image-labels.ts';
import { loadLabels } from '../dataset/labels.ts';
import { LABEL_LEVEL, writeSlices } from '../formats/byte-writer.ts';
import { createNiftiWriter, type NiftiWriter } from '../formats/nifti/nifti-write.ts';
import { readScan } from '../formats/scan.ts';
import { refuseSameNames } from '../store/dataset-names.ts';
import { ClassCounter } from '../volume/class-counter.ts';
import { ImagingError } from '../volume/errors.ts';
import { ignoresVoxels } from '../volume/label-codes.ts';
import { typeOfArray } from '../volume/nifti-types.ts';
import { canonicalGrid, fromCanonical, orientationOf } from '../volume/orientation.ts';
import type { Volume, VoxelArray } from '../volume/volume.ts';
import { type VoxelBox, wholeBox } from '../volume/voxel-source.ts';

/** A copy of a data set, opened with patterns as `openDataset` takes them, whose lesions are in part made up. */
export interface FakeLesionsOptions extends DatasetPatterns {
  /** Folder of a data set with labels. */
  readonly data: string;
  /** The folder to write; made if it is missing. */
  readonly out: string;
  /** Of a case to get fake lesions; 0.5 by default. */
  readonly probability?: number;
  /** The same seed gives the same files; 0 by default. */
  readonly seed?: number;
  /** Label value of the organ; 1 by default. */
  readonly organ?: number;
  /** Label value of lesions; 2 by default. */
  readonly lesion?: number;
  /** Whether a data set that is there is replaced; it is refused by default. The one that is read never is. */
  readonly overwrite?: boolean;
  /** Called after each case. */
  readonly onCase?: (report: FakeLesionsReport, done: number, cases: number) => void;
}

/** What became of a case. */
export interface FakeLesionsReport {
  readonly id: string;
  /** `made`; `left` by chance; or why there can be none: a class without voxels, lesions that are not darker than the organ. */
  readonly outcome: 'made' | 'left' | 'no organ' | 'no lesion' | 'not darker';
  /** Lesion voxels before and after. */
  readonly before: number;
  readonly after: number;
}

/**
 * Writes a data set again, with fake lesions in each case with a probability (Hou et al. 2019, see planLesions; means and
 * differences in HU): images and labels as `.nii.gz` on the grid of the image, in its type, then dataset.json in the form of the
 * Medical Segmentation Decathlon. Values stay within those of the scan. Scans without labels are left out.
 * Holds one scan with its labels in memory. Throws ImagingError, and HalomeshError where a file is there already.
 */
export async function writeFakeLesions(options: FakeLesionsOptions): Promise<FakeLesionsReport[]> {
  const { data, out, overwrite, onCase } = options;
  const dataset = await openDataset(data, options);
  const { labelNames, name } = dataset;
  const cases = withLabelMaps(dataset.cases);
  if (cases.length === 0)
    throw new ImagingError({ file: data, field: 'cases', expected: 'scans with label maps', found: 'none' });
  for (const key of ['organ', 'lesion'] as const) checkLabel(key, options[key] ?? defaults[key], labelNames);
  const ignoring = cases.find(({ labelCodes }) => ignoresVoxels(labelCodes));
  if (ignoring !== undefined)
    throw new ImagingError({
      file: data,
      field: 'labels',
      expected: 'a class for every voxel',
      found: 'a label that is ignored',
      hint: 'Leave "ignore" out of dataset.json and --map-labels, or give its voxels a class.',
    });
  if (dataset.labelCodes?.regions !== undefined)
    throw new ImagingError({
      file: data,
      field: 'labels',
      expected: 'a class for each value',
      found: 'regions of several values',
      hint: 'Give each value a name of its own in dataset.json.',
    });
  refuseSameNames(
    cases.map(({ id }) => id),
    data,
  );
  const json = path.join(out, 'dataset.json');
  const named = cases.map(({ id }) => ({
    image: `./imagesTr/${id}.nii.gz`,
    label: `./labelsTr/${id}.nii.gz`,
  }));
  const writes = named.flatMap(({ image, label }) => [
    inside(path.join(out, 'imagesTr'), path.relative('imagesTr', image)),
    inside(path.join(out, 'labelsTr'), path.relative('labelsTr', label)),
  ]);
  const reads = [path.join(data, 'dataset.json')];
  for (const { image, label } of cases) reads.push(image, ...(label === undefined ? [] : [label]));
  checkOutputs({ reads, writes: [json, ...writes], overwrite });
  makeFolder(path.join(out, 'imagesTr'));
  makeFolder(path.join(out, 'labelsTr'));
  const reports: FakeLesionsReport[] = [];
  const training: { image: string; label: string }[] = [];
  for (const [index, entry] of cases.entries()) {
    const files = named[index];
    const report = await writeCase(entry, index, options, files);
    reports.push(report);
    training.push(files);
    onCase?.(report, reports.length, cases.length);
  }
  await writeDescription(json, { name: `${name}, fake lesions`, labelNames, training });
  return reports;
}

const defaults = { organ: 1, lesion: 2 };

function checkLabel(field: 'organ' | 'lesion', label: number, names: readonly string[] | undefined): void {
  if (names === undefined || label < names.length) return;
  const known = names.map((text, value) => `${value} ${text}`).join(', ');
  const hint = `Say which label value it has (--${field}).`;
  throw new ImagingError({ field, expected: `one of ${known}`, found: `${label}`, hint });
}

/** Slices that are changed and written at once. */
const slabSlices = 8;

async function writeCase(
  entry: Case,
  index: number,
  { out, organ = defaults.organ, lesion = defaults.lesion, probability = 0.5, seed = 0 }: FakeLesionsOptions,
  files: { readonly image: string; readonly label: string },
): Promise<FakeLesionsReport> {
  checkChannelCount(entry, 1);
  const image = await readScan(entry.image, { series: entry.series, lean: entry.lean });
  const canonical = await loadLabels(
    entry.label ?? '',
    canonicalGrid(image),
    entry.labelNames,
    entry.labelCodes,
  );
  const labels = fromCanonical(canonical, orientationOf(image.affine));
  const changes = drawChanges(
    { fakeLesions: { probability } },
    { seed, caseIndex: index, step: 0 },
    image.shape,
  );
  const before = countOf(labels.data, lesion);
  const plan =
    changes.fakeLesions === undefined
      ? 'left'
      : planFor(image, labels.data, { organ, lesion, key: changes.fakeLesions });
  const [low, high] = rangeOf(image.data);
  const [depth, height, width] = image.shape;
  const plane = height * width;
  let after = 0;
  const writers: NiftiWriter[] = [];
  try {
    const type = typeOfArray(image.data);
    writers.push(await createNiftiWriter(path.join(out, files.image), image, { type, gzipLevel: 4 }));
    writers.push(
      await createNiftiWriter(path.join(out, files.label), image, { type: 'uint8', gzipLevel: LABEL_LEVEL }),
    );
    for (let k = 0; k < depth; k += slabSlices) {
      const end = Math.min(depth, k + slabSlices);
      const box: VoxelBox = { start: [k, 0, 0], end: [end, height, width] };
      const classes = labels.data.slice(k * plane, end * plane);
      let voxels: VoxelArray = image.data.subarray(k * plane, end * plane);
      if (typeof plan !== 'string') {
        const changed = Float32Array.from(voxels);
        paintLesions({ box, image: changed, labels: classes }, plan, low, high);
        voxels = changed;
      }
      after += countOf(classes, lesion);
      await writeSlices(writers[0], voxels, plane);
      await writeSlices(writers[1], classes, plane);
    }
    for (const writer of writers) await writer.finish();
  } catch (error) {
    for (const writer of writers) await writer.abort();
    throw error;
  }
  return { id: entry.id, outcome: typeof plan === 'string' ? plan : 'made', before, after };
}

function planFor(
  { data, shape }: Volume,
  labels: Uint8Array,
  draw: { readonly organ: number; readonly lesion: number; readonly key: number },
): LesionPlan | Exclude<FakeLesionsReport['outcome'], 'made'> {
  const counter = new ClassCounter();
  counter.add(data, labels);
  const classes = counter.facts();
  for (const key of ['organ', 'lesion'] as const)
    if ((classes[draw[key]]?.count ?? 0) === 0) return `no ${key}`;
  const cells = emptyCells(shape);
  countLabels(cells, labels, wholeBox(shape), draw.organ, draw.lesion);
  return planLesions(cells, classes, draw) ?? 'not darker';
}

function countOf(labels: Uint8Array, label: number): number {
  let count = 0;
  for (let n = 0; n < labels.length; n++) if (labels[n] === label) count++;
  return count;
}

function rangeOf(data: VoxelArray): [low: number, high: number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let n = 0; n < data.length; n++) {
    if (data[n] < low) low = data[n];
    if (data[n] > high) high = data[n];
  }
  return [low, high];
}
