import { mkdirSync, mkdtempSync, rmdirSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { fail } from '../core/index.ts';
import { systemErrorCode, systemErrorReason, writeHints } from './system-errors.ts';

/**
 * Makes a folder, and those above it, where they are not there. Throws HalomeshError that names what is in the way. It makes them
 * one by one: where the system takes no folders, as in /proc, a recursive call of Node never ends.
 */
export function makeFolder(folder: string): void {
  const missing: string[] = [];
  let at = path.resolve(folder);
  for (let found = statOf(at, folder); ; found = statOf(at, folder)) {
    if (found?.isDirectory()) break;
    if (found !== undefined)
      fail({
        where: folder,
        problem: 'the folder cannot be made',
        expected: `${at === path.resolve(folder) ? 'no file of this name' : `a folder ${at}`}`,
        found: 'a file',
        hint: 'Choose another name',
      });
    missing.push(at);
    const above = path.dirname(at);
    if (above === at) break;
    at = above;
  }
  for (const one of missing.reverse()) {
    try {
      mkdirSync(one);
    } catch (error) {
      // Another process may have made it meanwhile.
      if (systemErrorCode(error) !== 'EEXIST' || !statOf(one, folder)?.isDirectory()) refuse(folder, error);
    }
  }
}

/**
 * Checks, before any work, that a file or folder can be written at a path: the nearest folder above that is there takes a new folder,
 * which goes again at once. Throws HalomeshError; `where` names the output, by default as its path.
 */
export function checkPlace(file: string, where = file): void {
  const whole = path.resolve(file);
  let at = statOf(whole, where)?.isDirectory() ? whole : path.dirname(whole);
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
    refuse(where, error, `cannot be written: in ${at}, `);
  }
}

function statOf(file: string, folder: string): Stats | undefined {
  try {
    return statSync(file);
  } catch (error) {
    // Below a file there is nothing either; the file is met further up.
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error))) return undefined;
    return refuse(folder, error);
  }
}

function refuse(where: string, error: unknown, problem = 'the folder cannot be made: '): never {
  if (!(error instanceof Error && 'syscall' in error)) throw error;
  const code = systemErrorCode(error);
  const hint = code === 'ENOENT' ? 'Choose a folder on a disk.' : writeHints[code];
  fail({ where, problem: `${problem}${systemErrorReason(error)}`, hint }, { cause: error });
}
