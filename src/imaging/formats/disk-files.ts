import { type Dirent, existsSync, statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { inflate, openByteFile } from '../../files/index.ts';
import { ImagingError } from '../volume/errors.ts';
import { readError } from './byte-reader.ts';
import { existingFile, isSameFile, namedFile } from './named-file.ts';
import type { ByteSource, FolderContent, ScanFolders } from './scan-files.ts';

/** Scans on the disks of this machine. */
export const diskFiles: ScanFolders = {
  open: openRegular,
  inflate,
  named: namedFile,
  find(file) {
    const found = existingFile(file);
    return existsSync(found) ? found : undefined;
  },
  isSame: isSameFile,
  list: listFolder,
  folderOf: (file) => path.dirname(path.resolve(file)),
};

async function openRegular(file: string): Promise<ByteSource> {
  try {
    const status = await stat(file);
    if (status.isFile()) return await openByteFile(file);
    const found = status.isDirectory() ? 'a folder' : 'something else (a device or pipe)';
    throw new ImagingError({ file, field: 'path', expected: 'a regular file', found });
  } catch (error) {
    throw readError(file, error);
  }
}

async function listFolder(dir: string): Promise<FolderContent> {
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

function leadsToFile(link: string): boolean {
  try {
    return statSync(link, { throwIfNoEntry: false })?.isFile() ?? true;
  } catch {
    return true;
  }
}
