import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { inflate, openByteFile } from '../../files/index.ts';
import { ImagingError } from '../volume/errors.ts';
import { readError } from './byte-reader.ts';
import { existingFile, isSameFile, namedFile } from './named-file.ts';
import type { ByteSource, ScanFiles } from './scan-files.ts';

/** Scans on the disks of this machine. */
export const diskFiles: ScanFiles = {
  open: openRegular,
  inflate,
  named: namedFile,
  find(file) {
    const found = existingFile(file);
    return existsSync(found) ? found : undefined;
  },
  isSame: isSameFile,
};

async function openRegular(file: string): Promise<ByteSource> {
  try {
    // Opening a pipe would wait for its other end, so what it is comes first.
    const status = await stat(file);
    if (status.isFile()) return await openByteFile(file);
    const found = status.isDirectory() ? 'a folder' : 'something else (a device or pipe)';
    throw new ImagingError({ file, field: 'path', expected: 'a regular file', found });
  } catch (error) {
    throw readError(file, error);
  }
}
