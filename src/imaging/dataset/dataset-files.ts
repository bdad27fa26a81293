import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { sameForm, systemErrorReason } from '../../files/index.ts';
import { ImagingError } from '../volume/errors.ts';
import type { LabelMapping } from './named-labels.ts';

/** What the files of scans end in: one for each scan, so of a pair its header. */
const ending = /\.(nii(\.gz)?|hdr(\.gz)?|nrrd|nhdr|mha|mhd)$/i;

/** Images and their label maps, as paths from the folder of the data set; `*` stands for the case's id. */
export interface DatasetPatterns {
  /** What values of its label maps stand for: `{"4": 3, "5": "ignore"}`. */
  readonly mapLabels?: LabelMapping;
  /** Such as `*_ct.nii.gz`, or `*_ct` for folders of DICOM series. */
  readonly images?: string;
  /** Such as `*_seg.nii.gz`. */
  readonly labels?: string;
}

/** One scan and, where there is one, its label map. */
export interface FoundCase {
  readonly id: string;
  readonly image: string;
  readonly label?: string;
}

/** The cases of a folder, and what is wrong with its files. */
export interface FoundCases {
  readonly cases: readonly FoundCase[];
  readonly faults: readonly ImagingError[];
}

/**
 * A file's name without folder and ending, and without the channel number of nnU-Net, unless label maps have the same number in
 * their names: then it counts patients.
 */
export function caseId(file: string, isLabelled: (id: string) => boolean = () => false): string {
  const whole = sameForm(stem(path.basename(file.replaceAll('\\', '/'))));
  return isLabelled(whole) ? whole : whole.replace(/_0000$/, '');
}

/** A file's name without the ending of a scan. */
export const stem = (name: string): string => name.replace(ending, '');
const channelZero = (name: string): string => name.replace(/_\d{4}$/, '_0000');

/**
 * Cases of a folder of images, and of one of labels if it is given, in the way of the Decathlon and of nnU-Net v2: files of any
 * format that is read, or folders of DICOM series. With `fileEnding` only files that end so.
 */
export async function listCases(
  dir: string,
  images: string,
  labels?: string,
  fileEnding?: string,
): Promise<FoundCases> {
  const all = await namesIn(path.join(dir, images));
  const names = all
    .filter(
      ({ name, folder }) =>
        folder || (fileEnding ? name.toLowerCase().endsWith(fileEnding.toLowerCase()) : ending.test(name)),
    )
    .map(({ name }) => name);
  const labelNames =
    labels === undefined ? [] : (await namesIn(path.join(dir, labels))).map(({ name }) => name);
  // A letter with an accent has two forms, and both files of a case may not have the same.
  const idOf = (name: string): string => sameForm(stem(name));
  const labelled = new Set(labelNames.map(idOf));
  const faults: ImagingError[] = [];
  if (fileEnding && names.length === 0 && all.length > 0)
    faults.push(unfitEnding(dir, images, fileEnding, all));
  const cases: FoundCase[] = [];
  for (const name of names) {
    const image = path.join(dir, images, name);
    const id = caseId(name, (whole) => labelled.has(whole));
    const numbered = labels !== undefined && /_\d{3}[1-9]$/.test(id) && !labelled.has(id);
    if (numbered && names.some((other) => stem(other) === channelZero(stem(name)))) {
      const hint = 'Only images of one channel (CT) are supported.';
      faults.push(new ImagingError({ file: image, field: 'channel', expected: '_0000', found: name, hint }));
      continue;
    }
    if (labels === undefined) {
      cases.push({ id, image: unwrapped(image) });
      continue;
    }
    const own = labelNames.filter((label) => ending.test(label) && idOf(label) === id);
    const same = own.find((label) => label.slice(stem(label).length) === name.slice(stem(name).length));
    if (own.length > 1 && same === undefined) {
      const expected = `one label map of case ${id}`;
      faults.push(
        new ImagingError({ file: path.join(dir, labels), field: 'labels', expected, found: own.join(', ') }),
      );
    }
    const likely = `${id}${fileEnding ?? ending.exec(name)?.[0] ?? '.nii.gz'}`;
    const label = path.join(dir, labels, same ?? own[0] ?? likely);
    cases.push({ id, image: unwrapped(image), label: unwrapped(label) });
  }
  return { cases, faults };
}

function unfitEnding(
  dir: string,
  images: string,
  fileEnding: string,
  all: readonly { readonly name: string }[],
): ImagingError {
  const endings = new Set(all.map(({ name }) => ending.exec(name)?.[0] ?? (path.extname(name) || name)));
  const found = [...endings].slice(0, 5).join(', ');
  return new ImagingError({
    file: path.join(dir, 'dataset.json'),
    field: 'file_ending',
    expected: `what the files in ${images} end in (${found})`,
    found: `"${fileEnding}"`,
    hint: 'Correct it, or take it out.',
  });
}

/**
 * The one file of a scan in a folder that is named like a file, as some programs unpack `a.nii.gz`; everything else as it is. A folder
 * of that kind with several scans in it is left to whoever opens it.
 */
export function unwrapped(file: string): string {
  if (stem(path.basename(file)) === path.basename(file)) return file;
  try {
    if (!statSync(file).isDirectory()) return file;
    const scans = readdirSync(file).filter((name) => !name.startsWith('.') && ending.test(name));
    const inner = path.join(file, scans[0] ?? '');
    return scans.length === 1 && statSync(inner).isFile() ? inner : file;
  } catch {
    return file; // whoever opens it says what is wrong with it
  }
}

/** Cases by patterns. Throws ImagingError for a pattern that is none. */
export async function matchCases(dir: string, { images, labels }: DatasetPatterns): Promise<FoundCases> {
  if (images === undefined) {
    const hint = 'Give "images" as well, such as *_ct.nii.gz.';
    throw new ImagingError({
      field: 'labels',
      expected: 'a pattern of images beside it',
      found: 'none',
      hint,
    });
  }
  const truths = labels === undefined ? new Map<string, string>() : await matches(dir, labels, 'labels');
  const isTruth = new Set(truths.values());
  const cases: FoundCase[] = [];
  for (const [id, image] of await matches(dir, images, 'images')) {
    // `*.nii.gz` would take `a_seg.nii.gz` for an image too.
    if (!isTruth.has(image)) cases.push({ id, image, label: truths.get(id) });
  }
  const known = new Set(cases.map(({ id }) => id));
  const faults = [...truths]
    .filter(([id]) => !known.has(id))
    .map(([id, file]) => {
      const expected = `its image ${images.replace('*', id)}`;
      const hint = `Add the image, or take the label map out of ${dir}.`;
      return new ImagingError({
        file,
        field: `label of case ${id}`,
        expected,
        found: 'nothing at this path',
        hint,
      });
    });
  return { cases, faults };
}

/** Paths that match, by what the star stands for. */
async function matches(dir: string, pattern: string, field: string): Promise<Map<string, string>> {
  const parts = pattern.split('/').filter((part) => part !== '.' && part !== '');
  const stars = pattern.split('*').length - 1;
  if (stars !== 1 || path.isAbsolute(pattern) || parts.includes('..')) {
    const expected = 'a path within the data set with one * where the id of a case stands';
    throw new ImagingError({ field, expected, found: `"${pattern}"` });
  }
  const at = parts.findIndex((part) => part.includes('*'));
  const [before, after] = sameForm(parts[at]).split('*');
  const folder = path.join(dir, ...parts.slice(0, at));
  const found = new Map<string, string>();
  for (const { name } of await namesIn(folder)) {
    const plain = sameForm(name);
    const id = plain.slice(before.length, plain.length - after.length);
    if (id.length === 0 || plain !== `${before}${id}${after}`) continue;
    const file = path.join(folder, name, ...parts.slice(at + 1));
    if (!existsSync(file)) continue;
    const other = found.get(id);
    if (other !== undefined) {
      const both = `${path.relative(folder, other)} and ${name}`;
      throw new ImagingError({ file: folder, field: 'files', expected: `one of case ${id}`, found: both });
    }
    found.set(id, unwrapped(file));
  }
  return found;
}

/** What lies in a folder; nothing where there is none. */
async function namesIn(folder: string): Promise<{ name: string; folder: boolean }[]> {
  if (!existsSync(folder)) return [];
  try {
    return (await readdir(folder, { withFileTypes: true }))
      .filter(({ name }) => !name.startsWith('.'))
      .map((entry) => ({ name: entry.name, folder: isFolder(path.join(folder, entry.name), entry) }));
  } catch (error) {
    const found = systemErrorReason(error);
    throw new ImagingError({ file: folder, field: 'path', expected: 'a folder', found }, { cause: error });
  }
}

/** Whether an entry is a folder or leads to one. */
function isFolder(file: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
