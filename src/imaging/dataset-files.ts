import { type Dirent, existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ImagingError, systemErrorReason } from './errors.ts';

/** What the files of scans end in: one for each scan, so of a pair its header. */
const ending = /\.(nii(\.gz)?|hdr(\.gz)?|nrrd|nhdr|mha|mhd)$/i;

/** Images and their label maps, as paths from the folder of the data set; `*` stands for the case's id. */
export interface DatasetPatterns {
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
  const whole = stem(path.basename(file));
  return isLabelled(whole) ? whole : whole.replace(/_0000$/, '');
}

const stem = (name: string): string => name.replace(ending, '');
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
  const names = (await namesIn(path.join(dir, images)))
    .filter(({ name, folder }) => folder || (fileEnding ? name.endsWith(fileEnding) : ending.test(name)))
    .map(({ name }) => name);
  const labelNames =
    labels === undefined ? [] : (await namesIn(path.join(dir, labels))).map(({ name }) => name);
  const labelled = new Set(labelNames.map(stem));
  const faults: ImagingError[] = [];
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
      cases.push({ id, image });
      continue;
    }
    const own = labelNames.filter((label) => ending.test(label) && stem(label) === id);
    const same = own.find((label) => label.slice(id.length) === name.slice(stem(name).length));
    if (own.length > 1 && same === undefined) {
      const expected = `one label map of case ${id}`;
      faults.push(
        new ImagingError({ file: path.join(dir, labels), field: 'labels', expected, found: own.join(', ') }),
      );
    }
    const likely = `${id}${fileEnding ?? ending.exec(name)?.[0] ?? '.nii.gz'}`;
    cases.push({ id, image, label: path.join(dir, labels, same ?? own[0] ?? likely) });
  }
  return { cases, faults };
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
  const [before, after] = parts[at].split('*');
  const folder = path.join(dir, ...parts.slice(0, at));
  const found = new Map<string, string>();
  for (const { name } of await namesIn(folder)) {
    const id = name.slice(before.length, name.length - after.length);
    if (id.length === 0 || name !== `${before}${id}${after}`) continue;
    const file = path.join(folder, name, ...parts.slice(at + 1));
    if (existsSync(file)) found.set(id, file);
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
