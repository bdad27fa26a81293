import path from 'node:path';
import { fail, printable } from '../core/index.ts';

// Names that files give: ids of cases, classes, and paths in lists and headers.

/** Bytes of a name at most: file systems take 255, and endings are added to it. */
const mostBytes = 200;

/** Why a text cannot name a file or folder of its own in a given folder, as words after "found"; undefined where it can. */
export function nameProblem(name: string): string | undefined {
  if (name === '') return 'an empty name';
  if (name === '.' || name === '..') return `"${name}", which names a folder above or the folder itself`;
  if (/[/\\]/.test(name)) return `"${printable(name)}", with a separator of folders in it`;
  if (printable(name) !== name) return `"${printable(name)}", with control characters in it`;
  if (name.trim() !== name) return `"${name}", with blanks at its ends`;
  const bytes = Buffer.byteLength(name);
  if (bytes > mostBytes) return `a name of ${bytes} bytes (at most ${mostBytes}): "${name.slice(0, 40)}..."`;
  return undefined;
}

/** A path of a list or header, which may have been written on Windows, from a folder. */
export function pathFrom(folder: string, written: string): string {
  return path.resolve(folder, written.replaceAll('\\', '/'));
}

/** Whether a path lies below a folder, by their names. */
export function isInside(folder: string, file: string): boolean {
  const between = path.relative(path.resolve(folder), path.resolve(file));
  return between !== '' && between.split(path.sep)[0] !== '..' && !path.isAbsolute(between);
}

/** The path of a name in a folder, for what is written or removed. Throws HalomeshError for a name that leads elsewhere. */
export function inside(folder: string, ...names: readonly string[]): string {
  const file = path.join(folder, ...names);
  if (isInside(folder, file)) return file;
  return fail({
    where: folder,
    problem: 'nothing outside of this folder is written or removed',
    found: path.join(...names),
  });
}

const numbers = new Intl.Collator('en', { numeric: true });

/** Compares names so that they come in natural order: case 2 before case 10. */
export const inNaturalOrder = (a: string, b: string): number => numbers.compare(a, b);
