import { existsSync } from 'node:fs';
import path from 'node:path';
import { inNaturalOrder, sameForm } from '../../files/index.ts';
import { isPictureName } from '../formats/picture/picture-grid.ts';
import { idProblem } from '../store/dataset-names.ts';
import { isStore, type StoreOptions } from '../store/format.ts';
import { openStore } from '../store/open-store.ts';
import { ImagingError } from '../volume/errors.ts';
import type { LabelCodes } from '../volume/label-codes.ts';
import type { ChannelFile, ScanReadOptions } from '../volume/scan-types.ts';
import { channelFiles } from './channels.ts';
import {
  caseId,
  type DatasetPatterns,
  type FoundCase,
  type FoundCases,
  listCases,
  volumesOf,
} from './dataset-files.ts';
import { type DatasetDescription, readDescription } from './dataset-json.ts';
import { ListedFiles } from './dataset-paths.ts';
import { matchCases } from './dataset-patterns.ts';
import { withPictureChannels } from './dataset-pictures.ts';
import { furtherChannels, unusedFiles } from './dataset-unused.ts';
import { imageLabelsOf, labelledStore, withImageLabels } from './image-labels.ts';
import { namedLabels } from './named-labels.ts';
import { hasStructureCases, namedStructures, structureCases } from './structure-cases.ts';

/** One scan and, where it is known, its label map. */
export interface Case {
  /** The image's file name without its ending, or what the star of its pattern stands for. */
  readonly id: string;
  /** Path of the image: a file, or the folder of a DICOM series. Of several channels the first one's. */
  readonly image: string;
  /** Where its channels lie, where there are several. */
  readonly channels?: readonly ChannelFile[];
  /** SeriesInstanceUID of the image, where its folder holds several series. */
  readonly series?: string;
  /** Whether its image is resampled where its axes lean, or read though they do. */
  readonly lean?: ScanReadOptions['lean'];
  /** Path of the label map; absent for scans without one. */
  readonly label?: string;
  /** The class that the image as a whole belongs to, by its name, where it is known. */
  readonly imageLabel?: string;
  /** The names of classes 0, 1, 2...; absent where the dataset does not say them. */
  readonly labelNames?: readonly string[];
  /** What the values of its label map mean, where they are not the classes themselves. */
  readonly labelCodes?: LabelCodes;
  /** Whether it is refused where the window clips most of the body, or leaves no contrast there. */
  readonly checkWindow?: boolean;
}

/** A folder of scans. */
export interface Dataset {
  readonly dir: string;
  readonly name: string;
  readonly labelNames?: readonly string[];
  /** What the values of its label maps mean, where they are not the classes themselves. */
  readonly labelCodes?: LabelCodes;
  /** What its channels are, such as `CT`, where the data set says it; always where there are several. */
  readonly channelNames?: readonly string[];
  /** Whether all its images are pictures. */
  readonly pictures?: boolean;
  /** Names of the classes that images belong to as a whole, where it says those of any. */
  readonly imageClasses?: readonly string[];
  /** Scans with label maps, or where images have one label those with it, in natural order (case 2 before case 10). */
  readonly cases: readonly Case[];
  /** Scans without, in natural order. */
  readonly test: readonly Case[];
  /** Files of scans in its folders that are in none of its cases, as paths from `dir`. */
  readonly unused?: readonly string[];
  /** How its cases were prepared, where it is a store of preprocessed cases. */
  readonly preprocessed?: StoreOptions;
}

/**
 * Opens a folder of scans and label maps; reads no voxels. It is one of
 *  - a Medical Segmentation Decathlon or nnU-Net v2 folder: `imagesTr`, `labelsTr`, `imagesTs` and a `dataset.json` with the
 *    labels' names and, in the Decathlon, the list of cases; without a list the cases are the files in the folders;
 *  - a folder of cases with one file for each structure, as TotalSegmentator's: `CASE/ct.nii.gz`, `CASE/segmentations/NAME.nii.gz`;
 *  - any folder, with patterns of its images and label maps; a `dataset.json` in it may name the labels.
 * Images may be pictures, whose colours are channels; where nothing names these, the first picture says whether it has some.
 * A store that `halomesh preprocess` wrote is a data set too.
 * Throws ImagingError if the folder, the list or a file of a case is missing or does not fit.
 */
export async function openDataset(dir: string, patterns: DatasetPatterns = {}): Promise<Dataset> {
  const { dataset, faults } = await surveyDataset(dir, patterns);
  if (faults.length > 0) throw faults[0];
  return dataset;
}

/** What a folder holds, sound or not. */
export interface DatasetSurvey {
  /** The cases that have their files. */
  readonly dataset: Dataset;
  /** Cases whose label map is missing, without it. */
  readonly unlabelled: readonly Case[];
  /** What is wrong with single cases. */
  readonly faults: readonly ImagingError[];
}

/**
 * As openDataset, but what is wrong with single cases is told beside the others.
 * Throws ImagingError where there is no data set at all, or its dataset.json cannot be used.
 */
export async function surveyDataset(dir: string, patterns: DatasetPatterns = {}): Promise<DatasetSurvey> {
  if (isStore(dir)) {
    if (patterns.mapLabels !== undefined) refuseMapping(dir);
    if (patterns.resampleTilt) refuseTilt(dir);
    return labelledStore(await openStore(dir), patterns);
  }
  const json = path.join(dir, 'dataset.json');
  const described = existsSync(json);
  const byPattern = patterns.images !== undefined || patterns.labels !== undefined;
  if (existsSync(path.join(dir, 'zarr.json')) && !described)
    throw new ImagingError({
      file: dir,
      field: 'dataset',
      expected: 'a store that halomesh preprocess made, of version 2',
      found: 'a Zarr store of version 3',
      hint: 'Give the data set that it was made from.',
    });
  const isKnown = described || byPattern || existsSync(path.join(dir, 'imagesTr'));
  const byStructure = !isKnown && existsSync(dir) && (await hasStructureCases(dir));
  if (!existsSync(dir) || !(isKnown || byStructure)) {
    throw new ImagingError({
      file: dir,
      field: 'dataset',
      expected: byPattern ? 'a folder' : 'dataset.json, imagesTr or cases with segmentations',
      found: existsSync(dir) ? 'none of them' : 'nothing at this path',
      hint: 'Give the folder that holds imagesTr and labelsTr, or patterns of images and labels.',
    });
  }
  const description = described ? await readDescription(json) : {};
  const known = byStructure ? await structureCases(dir) : await findCases(dir, description, patterns);
  const listed = await withPictureChannels(known, description.channelNames);
  const structures = namedStructures(listed.cases);
  if (structures !== undefined && description.labels !== undefined) refuseNames(json);
  const lacking = new Set(structures?.faults.map(({ file }) => file));
  const found = { ...listed, cases: listed.cases.filter(({ label }) => !lacking.has(label)) };
  const faults = [...found.faults, ...(structures?.faults ?? [])];
  const source = described && !byPattern ? json : dir;
  const imageLabels = await imageLabelsOf(listed, description, patterns, json);
  const unlabelled: FoundCase[] = [];
  const meaning = namedLabels(
    structures?.labels ?? description.labels,
    patterns.mapLabels,
    source,
    description.regions,
  );
  const finish = (list: readonly FoundCase[], kind: 'case' | 'test case') => {
    const whole = keepWhole(list, kind, source, { faults, unlabelled });
    const lean = patterns.resampleTilt ? ({ lean: 'resample' } as const) : {};
    return whole
      .map((entry) => ({ ...entry, ...meaning, ...lean }))
      .sort((a, b) => inNaturalOrder(a.id, b.id));
  };
  const all = [...found.cases, ...found.test];
  const told = faults.flatMap(({ file }) => (file === undefined ? [] : [file]));
  const unused = unusedFiles(dir, all, told);
  if (!byPattern) faults.push(...furtherChannels(dir, all, unused));
  const [cases, test] = [finish(found.cases, 'case'), finish(found.test, 'test case')];
  const dataset: Dataset = {
    dir,
    name: description.name ?? path.basename(path.resolve(dir)),
    ...meaning,
    channelNames: found.channelNames ?? description.channelNames,
    ...(imageLabels === undefined ? { cases, test } : withImageLabels({ cases, test }, imageLabels, faults)),
    unused,
    ...(all.length > 0 && all.every(({ image }) => isPictureName(image)) && { pictures: true }),
  };
  return { dataset, unlabelled, faults };
}

function refuseTilt(dir: string): never {
  throw new ImagingError({
    file: dir,
    field: 'resampling of tilted scans',
    expected: 'a data set of scans',
    found: 'a store, whose scans are prepared',
    hint: 'Give it to preprocess, when the store is made.',
  });
}

function refuseNames(json: string): never {
  throw new ImagingError({
    file: json,
    field: 'labels',
    expected: 'none, as files of structures name them',
    found: 'names of labels',
    hint: 'Take them out, or give label maps of one file.',
  });
}

function refuseMapping(dir: string): never {
  throw new ImagingError({
    file: dir,
    field: 'map of labels',
    expected: 'a data set of label maps',
    found: 'a store, whose labels are classes',
    hint: 'Give --map-labels to halomesh preprocess.',
  });
}

async function findCases(
  dir: string,
  { training, test, fileEnding, channelNames }: DatasetDescription,
  patterns: DatasetPatterns,
): Promise<FoundCases & { readonly test: readonly FoundCase[] }> {
  if (patterns.images !== undefined || patterns.labels !== undefined) {
    const { cases, faults, channelNames: named } = await matchCases(dir, patterns, channelNames);
    const labelled = cases.filter(({ label }) => label !== undefined);
    const count = channelNames?.length ?? 1;
    const whole = named === undefined && count > 1;
    const asVolumes = (list: readonly FoundCase[]): readonly FoundCase[] =>
      whole ? list.map((one) => ({ ...one, channels: volumesOf(one.image, count) })) : list;
    return {
      cases: asVolumes(labelled),
      test: asVolumes(cases.filter(({ label }) => label === undefined)),
      faults,
      ...(named && { channelNames: named }),
    };
  }
  const listed = new ListedFiles(dir);
  const count = channelNames?.length;
  const imageOf = (image: string, files?: readonly string[]): Pick<FoundCase, 'image' | 'channels'> => {
    if (count === undefined || count === 1) return { image: listed.image(image) };
    const channels = files?.map((file) => ({ file: listed.image(file) })) ?? listed.channels(image, count);
    return { image: channels[0].file, ...(channels.length > 1 && { channels }) };
  };
  // Where images have one label there need be no label maps.
  const maps = patterns.imageLabels === undefined || existsSync(path.join(dir, 'labelsTr'));
  const train: FoundCases = training
    ? {
        cases: training.map(({ id, image, channels, label, class: imageLabel }) => {
          const named = caseId(image, (whole) => label !== undefined && caseId(label, () => true) === whole);
          return {
            ...{ id: sameForm(id ?? named), ...imageOf(image, channels) },
            ...(label !== undefined && { label: listed.label(label) }),
            ...(imageLabel !== undefined && { imageLabel }),
          };
        }),
        faults: [],
      }
    : await listCases(dir, 'imagesTr', maps ? 'labelsTr' : undefined, { fileEnding, channels: count });
  const tests = test
    ? { cases: test.map((image) => ({ id: caseId(image), ...imageOf(image) })), faults: [] }
    : await listCases(dir, 'imagesTs', undefined, {
        fileEnding,
        channels: count ?? train.channelNames?.length,
      });
  const faults = [...listed.faults, ...train.faults, ...tests.faults];
  const { channelNames: counted } = train;
  return { cases: train.cases, test: tests.cases, faults, ...(counted && { channelNames: counted }) };
}

/** The cases that have their files and an id of their own; what is wrong with the others goes to `found`. */
function keepWhole(
  list: readonly FoundCase[],
  kind: string,
  source: string,
  found: { readonly faults: ImagingError[]; readonly unlabelled: FoundCase[] },
): readonly FoundCase[] {
  const { faults, unlabelled } = found;
  const seen = new Set<string>();
  return list.filter(({ id, image, channels, label }) => {
    const before = faults.length;
    const problem = idProblem(id);
    if (problem !== undefined) {
      const expected = 'the name of a file';
      const field = `id of a ${kind}`;
      faults.push(new ImagingError({ file: source, field, expected, found: problem }));
      return false;
    }
    if (seen.has(id)) {
      const field = kind === 'case' ? 'training' : 'test';
      faults.push(
        new ImagingError({ file: source, field, expected: 'each case once', found: `${id} twice` }),
      );
    }
    seen.add(id);
    const files = channelFiles({ id, image, channels }).map(({ file }, n) =>
      channels === undefined ? (['image', file] as const) : ([`channel ${n}`, file] as const),
    );
    for (const [what, file] of [
      ...files.slice(0, channels?.[0].volume === undefined ? files.length : 1),
      ['label', label] as const,
    ]) {
      if (file === undefined || existsSync(file)) continue;
      const hint = `Add the file, or take the case out of ${source}.`;
      const field = `${what} of ${kind} ${id}`;
      faults.push(new ImagingError({ file, field, expected: 'a file', found: 'nothing at this path', hint }));
    }
    if (label !== undefined && existsSync(image) && !existsSync(label))
      unlabelled.push({ id, image, ...(channels && { channels }) });
    return faults.length === before;
  });
}
