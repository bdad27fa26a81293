import path from 'node:path';
import { ImagingError } from '../volume/errors.ts';
import { IGNORED, ignoresVoxels, type LabelCodes } from '../volume/label-codes.ts';
import { classNamesProblem, idProblem } from './dataset-names.ts';
import { IMAGE, isZarr, LABELS, readStoreDescription, type StoreOptions } from './format.ts';
import type { StoredEntry } from './stored-case.ts';

/** The cases of a store, in the order of the data set that it was made from. */
export interface StoreCases {
  readonly dir: string;
  readonly name: string;
  readonly labelNames?: readonly string[];
  readonly labelCodes?: LabelCodes;
  readonly channelNames?: readonly string[];
  readonly cases: readonly (StoredEntry & { readonly label: string })[];
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
  checkIds(dir, cases);
  const problem = labelNames && classNamesProblem(labelNames);
  if (problem !== undefined)
    throw new ImagingError({
      file: dir,
      field: 'label_names',
      expected: 'one name for each of the label values 0, 1, 2...',
      found: problem,
    });
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
  const entries = cases.map((id) => ({
    id,
    image: path.join(dir, id, IMAGE),
    label: path.join(dir, id, LABELS),
    labelNames,
    labelCodes,
  }));
  return {
    ...{ dir, name, labelNames, labelCodes, channelNames, cases: entries, test: [] },
    preprocessed: preprocessing,
    ...(described.pictures && { pictures: true }),
  };
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
