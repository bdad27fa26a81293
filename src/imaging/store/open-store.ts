import path from 'node:path';
import { printable } from '../../core/index.ts';
import { ImagingError } from '../volume/errors.ts';
import { IGNORED, ignoresVoxels, type LabelCodes } from '../volume/label-codes.ts';
import { classNamesProblem, idProblem } from './dataset-names.ts';
import {
  IMAGE,
  isZarr,
  LABELS,
  readStoreDescription,
  type StoreDescription,
  type StoreOptions,
} from './format.ts';
import type { StoredEntry } from './stored-case.ts';

/** The cases of a store, in the order of the data set that it was made from. */
export interface StoreCases {
  readonly dir: string;
  readonly name: string;
  readonly labelNames?: readonly string[];
  readonly labelCodes?: LabelCodes;
  readonly channelNames?: readonly string[];
  readonly imageClasses?: readonly string[];
  readonly cases: readonly (StoredEntry & { readonly imageLabel?: string })[];
  readonly test: readonly [];
  readonly preprocessed: StoreOptions;
}

/**
 * Opens a store of preprocessed cases as a data set; reads no voxel. The paths of its cases are those of arrays, which loadCase
 * and loadLabels take as they take files. Throws ImagingError where cases are not there yet.
 */
export async function openStore(dir: string): Promise<StoreCases> {
  const described = await readStoreDescription(dir);
  const { name, label_names: labelNames, channels: channelNames, preprocessing, cases } = described;
  const { image_classes: imageClasses, image_labels: imageLabels } = described;
  checkIds(dir, cases);
  checkNames(dir, 'label_names', labelNames);
  checkNames(dir, 'image_classes', imageClasses);
  checkImageLabels(dir, described);
  const missing = cases.filter((id) => !isZarr(path.join(dir, id, IMAGE)));
  if (missing.length > 0)
    throw new ImagingError({
      file: dir,
      field: 'cases',
      expected: `${cases.length}`,
      found: `${cases.length - missing.length}: ${missing.slice(0, 5).join(', ')} ${missing.length > 5 ? '... ' : ''}missing`,
      hint: 'Run halomesh preprocess again: it goes on where it ended. A case that cannot be read must leave the data set.',
    });
  const labelCodes = described.label_codes && storedCodes(described.label_codes, labelNames?.length);
  const entries = cases.map((id, n) => ({
    id,
    image: path.join(dir, id, IMAGE),
    // Images that have one label need no label map.
    ...((!imageLabels || isZarr(path.join(dir, id, LABELS))) && { label: path.join(dir, id, LABELS) }),
    labelNames,
    labelCodes,
    ...(imageLabels && { imageLabel: imageLabels[n] }),
  }));
  return {
    ...{ dir, name, labelNames, labelCodes, channelNames, cases: entries, test: [] },
    ...(imageClasses && { imageClasses }),
    preprocessed: preprocessing,
    ...(described.pictures && { pictures: true }),
  };
}

/** Refuses names that cannot be those of classes 0, 1, 2... */
function checkNames(
  dir: string,
  field: 'label_names' | 'image_classes',
  names: readonly string[] | undefined,
): void {
  const found = names && classNamesProblem(names);
  if (found === undefined) return;
  const of = field === 'label_names' ? 'label values' : 'classes';
  throw new ImagingError({ file: dir, field, expected: `one name for each of the ${of} 0, 1, 2...`, found });
}

/** Refuses labels of images that are not one of each, or of classes without a name. */
function checkImageLabels(
  dir: string,
  { cases, image_classes: classes = [], image_labels: labels }: StoreDescription,
): void {
  if (labels === undefined) return;
  const stray = labels.find((label) => !classes.includes(label));
  if (labels.length === cases.length && stray === undefined) return;
  throw new ImagingError({
    file: dir,
    field: 'image_labels',
    expected: `${cases.length}, each one of image_classes`,
    found: stray === undefined ? `${labels.length}` : `"${printable(stray.slice(0, 80))}"`,
  });
}

/** What the labels of a store mean: they are classes, and voxels to leave out. */
function storedCodes(codes: LabelCodes, classes = IGNORED): LabelCodes {
  const own = Array.from({ length: classes }, (_, cls) => [cls, cls]);
  const left = ignoresVoxels(codes) ? [[IGNORED, IGNORED]] : [];
  const { classValues, regions } = codes;
  return { classOf: Object.fromEntries([...own, ...left]), classValues, ...(regions && { regions }) };
}

/** Ids of a store are the names of the folders of its cases. */
function checkIds(dir: string, ids: readonly string[]): void {
  const seen = new Set<string>();
  for (const id of ids) {
    const found = seen.has(id) ? `"${id}" twice` : idProblem(id);
    if (found !== undefined)
      throw new ImagingError({ file: dir, field: 'cases', expected: 'names of folders, each once', found });
    seen.add(id);
  }
}
