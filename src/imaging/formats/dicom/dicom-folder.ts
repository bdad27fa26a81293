import { mapSome } from '../../../core/index.ts';
import { ImagingError } from '../../volume/errors.ts';
import { baseName, type ScanFolders } from '../scan-files.ts';
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
export async function readDicomFolder(disk: ScanFolders, dir: string): Promise<DicomFolder> {
  const { files, folders } = await disk.list(dir);
  const isDisc = files.some((file) => baseName(file).toUpperCase() === 'DICOMDIR');
  const here = await readFiles(disk, files);
  if (folders.length === 0 || (here.length > 0 && !isDisc)) return { files: here, deep: false };
  const found = [...here];
  const budget = { files: mostFiles };
  for (const folder of folders) found.push(...(await readTree(disk, folder, 1, budget)));
  return { files: found, deep: true };
}

async function readTree(
  disk: ScanFolders,
  dir: string,
  depth: number,
  budget: { files: number },
): Promise<DicomFile[]> {
  const { files, folders } = await disk.list(dir);
  budget.files -= files.length;
  if (budget.files < 0) {
    const hint = 'Give the folder of one series.';
    const [expected, found] = [`at most ${mostFiles} files in all folders of a disc`, 'more'];
    throw new ImagingError({ file: dir, field: 'path', expected, found, hint });
  }
  const found = await readFiles(disk, files);
  if (depth < mostDeep)
    for (const folder of folders) found.push(...(await readTree(disk, folder, depth + 1, budget)));
  return found;
}

async function readFiles(disk: ScanFolders, paths: readonly string[]): Promise<DicomFile[]> {
  return (await mapSome(paths, (file) => readDicomFile(disk, file))).filter((file) => file !== undefined);
}
