import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { ImagingError, systemErrorCode } from './errors.ts';

/** One scan and, where it is known, its label map. */
export interface Case {
  /** The image's file name without its ending. */
  readonly id: string;
  /** Path of the image: a file, or the folder of a DICOM series. */
  readonly image: string;
  /** SeriesInstanceUID of the image, where its folder holds several series. */
  readonly series?: string;
  /** Path of the label map; absent for scans without one. */
  readonly label?: string;
  /** The names of label values 0, 1, 2...; absent where the dataset does not say them. */
  readonly labelNames?: readonly string[];
}

/** A folder of scans. */
export interface Dataset {
  readonly dir: string;
  readonly name: string;
  readonly labelNames?: readonly string[];
  /** Scans with label maps, in natural order (case 2 before case 10). */
  readonly cases: readonly Case[];
  /** Scans without label maps, in natural order. */
  readonly test: readonly Case[];
}

const description = z.object({
  name: z.string().optional(),
  /** Decathlon: {"0": "background", ...}; nnU-Net v2: {"background": 0, ...}. */
  labels: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
  training: z.array(z.object({ image: z.string(), label: z.string() })).optional(),
  test: z.array(z.union([z.string(), z.object({ image: z.string() })])).optional(),
});

const natural = new Intl.Collator('en', { numeric: true });
const ending = /\.nii(\.gz)?$/i;

/**
 * Opens a Medical Segmentation Decathlon or nnU-Net v2 folder: `imagesTr`, `labelsTr`, `imagesTs` and a
 * `dataset.json` with the labels' names and, in the Decathlon, the list of cases. Without `dataset.json`, or
 * without a list in it, the cases are the files in the folders. Reads no voxels.
 * Throws ImagingError if the folder, the list or a file of a case is missing or does not fit.
 */
export async function openDataset(dir: string): Promise<Dataset> {
  const json = path.join(dir, 'dataset.json');
  const described = existsSync(json);
  if (!described && !existsSync(path.join(dir, 'imagesTr'))) {
    const found = existsSync(dir) ? 'neither of them' : 'nothing at this path';
    const hint = 'Give the folder that holds imagesTr and labelsTr.';
    throw new ImagingError({
      file: dir,
      field: 'dataset',
      expected: 'dataset.json or imagesTr',
      found,
      hint,
    });
  }
  const content = described ? await readDescription(json) : {};
  const labelNames = content.labels && namesOf(content.labels, json);
  const cases =
    content.training === undefined
      ? await listCases(dir, 'imagesTr', 'labelsTr')
      : content.training.map(({ image, label }) => ({
          id: caseId(image),
          image: path.resolve(dir, image),
          label: path.resolve(dir, label),
        }));
  const test =
    content.test === undefined
      ? await listCases(dir, 'imagesTs')
      : content.test.map((entry) => {
          const image = typeof entry === 'string' ? entry : entry.image;
          return { id: caseId(image), image: path.resolve(dir, image) };
        });
  const finish = (list: readonly Case[]) =>
    list.map((entry) => ({ ...entry, labelNames })).sort((a, b) => natural.compare(a.id, b.id));
  const dataset = { dir, name: content.name ?? path.basename(path.resolve(dir)), labelNames };
  const opened: Dataset = { ...dataset, cases: finish(cases), test: finish(test) };
  checkFiles(opened, described ? json : dir);
  return opened;
}

async function readDescription(file: string): Promise<z.infer<typeof description>> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const found = error instanceof SyntaxError ? error.message : systemErrorCode(error);
    throw new ImagingError({ file, field: 'content', expected: 'JSON', found }, { cause: error });
  }
  const parsed = description.safeParse(content);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  let value: unknown = content;
  for (const key of issue.path) value = (value as Record<PropertyKey, unknown>)[key];
  const found = JSON.stringify(value)?.slice(0, 80) ?? 'nothing';
  throw new ImagingError({ file, field: issue.path.join('.') || 'content', expected: issue.message, found });
}

/** Names by value; the values must be 0, 1, 2... without gaps, as they number the network's outputs. */
function namesOf(labels: Readonly<Record<string, string | number>>, file: string): readonly string[] {
  const names: string[] = [];
  for (const [key, value] of Object.entries(labels)) {
    if (typeof value === 'number') names[value] = key;
    else names[Number(key)] = value;
  }
  const count = Object.keys(labels).length;
  if (names.length !== count || count > 256 || Object.keys(names).length !== count) {
    const expected = 'the values 0, 1, 2... each with one name, at most 256';
    throw new ImagingError({ file, field: 'labels', expected, found: JSON.stringify(labels) });
  }
  return names;
}

/** A file's name without folder and ending, and without the channel number of nnU-Net. */
function caseId(file: string): string {
  return path
    .basename(file)
    .replace(ending, '')
    .replace(/_0000$/, '');
}

async function listCases(dir: string, images: string, labels?: string): Promise<Case[]> {
  const folder = path.join(dir, images);
  if (!existsSync(folder)) return [];
  const names = (await readdir(folder)).filter((name) => ending.test(name) && !name.startsWith('.'));
  return names.map((name) => {
    const file = path.join(folder, name);
    if (/_000[1-9]\.nii(\.gz)?$/i.test(name)) {
      const hint = 'Only images of one channel (CT) are supported.';
      throw new ImagingError({ file, field: 'channel', expected: '_0000', found: name, hint });
    }
    const id = caseId(name);
    if (labels === undefined) return { id, image: file };
    const candidates = [`${id}.nii.gz`, `${id}.nii`].map((label) => path.join(dir, labels, label));
    return { id, image: file, label: candidates.find((label) => existsSync(label)) ?? candidates[0] };
  });
}

function checkFiles(dataset: Dataset, source: string): void {
  const seen = new Set<string>();
  for (const { id, image, label } of dataset.cases) {
    if (seen.has(id)) {
      throw new ImagingError({
        file: source,
        field: 'training',
        expected: 'each case once',
        found: `${id} twice`,
      });
    }
    seen.add(id);
    requireFile(image, `image of case ${id}`, source);
    if (label !== undefined) requireFile(label, `label of case ${id}`, source);
  }
  for (const { id, image } of dataset.test) requireFile(image, `image of test case ${id}`, source);
}

function requireFile(file: string, field: string, source: string): void {
  if (existsSync(file)) return;
  const hint = `Add the file, or take the case out of ${source}.`;
  throw new ImagingError({ file, field, expected: 'a file', found: 'nothing at this path', hint });
}
