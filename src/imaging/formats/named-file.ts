import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { pathFrom } from '../../files/index.ts';
import { ImagingError } from '../volume/errors.ts';

// Files that belong to another one: the voxels of a header, the other half of a pair.

/**
 * The file that a header names, from the header's folder. A name that was written on Windows, or whose case or Unicode form is
 * another one than on the disk, finds its file too, where there is just one such. Throws ImagingError where it leads to the header
 * itself; that there is nothing is for whoever opens it to say.
 */
export function namedFile(header: string, field: string, written: string): string {
  const folder = path.dirname(header);
  const literal = path.resolve(folder, written);
  const file = existsSync(literal) ? literal : existingFile(pathFrom(folder, written));
  if (isSameFile(header, file)) {
    const expected = 'another file than the header';
    throw new ImagingError({ file: header, field, expected, found: `${written}, the header itself` });
  }
  return file;
}

/** A path as it is on the disk, where only case or Unicode form differ and there is just one such file; else the path itself. */
export function existingFile(file: string): string {
  if (existsSync(file)) return file;
  const alike = (name: string): string => name.normalize('NFC').toLowerCase();
  const wanted = alike(path.basename(file));
  const names = namesIn(path.dirname(file)).filter((name) => alike(name) === wanted);
  return names.length === 1 ? path.join(path.dirname(file), names[0]) : file;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // whoever opens the file says what is wrong with its folder
  }
}

/** Whether two paths are one file on the disk. */
export function isSameFile(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(one), statSync(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false; // one of them is not there
  }
}
