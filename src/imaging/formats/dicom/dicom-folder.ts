import { type Dirent, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { mapSome } from '../../../core/index.ts';
import { ImagingError } from '../../volume/errors.ts';
import { readError } from '../byte-reader.ts';
import { type DicomFile, readDicomFile } from './dicom-file.ts';

/** Folders within folders that are looked into, and files in all of them. */
const mostDeep = 8;
const mostFiles = 50_000;

/** All files of DICOM in a folder, and whether they come from its subfolders too. */
export interface DicomFolder {
  readonly files: readonly DicomFile[];
  readonly deep: boolean;
}

/**
 * Reads the headers of all files of DICOM in a folder; where it is a disc with a table of contents (DICOMDIR), or holds no file of
 * DICOM itself, those of its subfolders as well. Throws ImagingError for damaged files.
 */
export async function readDicomFolder(dir: string): Promise<DicomFolder> {
  const { files, folders } = await listFolder(dir);
  const isDisc = files.some((file) => path.basename(file).toUpperCase() === 'DICOMDIR');
  const here = await readFiles(files);
  if (folders.length === 0 || (here.length > 0 && !isDisc)) return { files: here, deep: false };
  const found = [...here];
  const budget = { files: mostFiles };
  for (const folder of folders) found.push(...(await readTree(folder, 1, budget)));
  return { files: found, deep: true };
}

async function readTree(dir: string, depth: number, budget: { files: number }): Promise<DicomFile[]> {
  const { files, folders } = await listFolder(dir);
  budget.files -= files.length;
  if (budget.files < 0) {
    const hint = 'Give the folder of one series.';
    const [expected, found] = [`at most ${mostFiles} files in all folders of a disc`, 'more'];
    throw new ImagingError({ file: dir, field: 'path', expected, found, hint });
  }
  const found = await readFiles(files);
  if (depth < mostDeep)
    for (const folder of folders) found.push(...(await readTree(folder, depth + 1, budget)));
  return found;
}

async function readFiles(paths: readonly string[]): Promise<DicomFile[]> {
  return (await mapSome(paths, readDicomFile)).filter((file) => file !== undefined);
}

async function listFolder(dir: string): Promise<{ files: string[]; folders: string[] }> {
  let entries: Dirent[];
  try {
    entries = await readdir(dir, { withFileTypes: true });
  } catch (error) {
    throw readError(dir, error);
  }
  const shown = entries.filter(({ name }) => !name.startsWith('.'));
  const paths = (some: readonly Dirent[]) => some.map(({ name }) => path.join(dir, name)).sort();
  return {
    files: paths(
      shown.filter(
        (entry) => entry.isFile() || (entry.isSymbolicLink() && leadsToFile(path.join(dir, entry.name))),
      ),
    ),
    folders: paths(shown.filter((entry) => entry.isDirectory())),
  };
}

/** A link to nothing counts as a file, so that reading it says what is wrong. */
function leadsToFile(link: string): boolean {
  try {
    return statSync(link, { throwIfNoEntry: false })?.isFile() ?? true;
  } catch {
    return true;
  }
}
