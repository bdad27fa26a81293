import { mkdtempSync, rmdirSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { fail } from '../core/index.ts';
import { systemErrorCode, systemErrorReason, writeHints } from './system-errors.ts';

/**
 * Checks, before any work, that a file or folder can be written at a path: the nearest folder above that is there takes a new folder,
 * which goes again at once. Throws HalomeshError; `where` names the output, by default as its path.
 */
export function checkPlace(file: string, where = file): void {
  const isFolder = statOf(file, where)?.isDirectory();
  let at = path.resolve(isFolder ? file : path.dirname(path.resolve(file)));
  for (let found = statOf(at, where); !found?.isDirectory(); found = statOf(at, where)) {
    if (found !== undefined)
      fail({
        where,
        problem: 'cannot be written',
        expected: `a folder ${at}`,
        found: 'a file',
        hint: 'Choose another path',
      });
    at = path.dirname(at);
  }
  try {
    rmdirSync(mkdtempSync(path.join(at, '.halomesh-')));
  } catch (error) {
    refuse(error, where, at);
  }
}

/** What is at a path; undefined where nothing is, which below a file is so too. */
function statOf(file: string, where: string): Stats | undefined {
  try {
    return statSync(file);
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error)) ? undefined : refuse(error, where, file);
  }
}

function refuse(error: unknown, where: string, at: string): never {
  if (!(error instanceof Error && 'syscall' in error)) throw error;
  const code = systemErrorCode(error);
  // Systems such as /proc know no name that they have not given themselves.
  const hint = code === 'ENOENT' ? 'Choose a folder on a disk.' : writeHints[code];
  fail(
    { where, problem: `cannot be written: in ${at}, ${systemErrorReason(error)}`, hint },
    { cause: error },
  );
}
