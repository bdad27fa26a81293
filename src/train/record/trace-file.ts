import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { fail } from '../../core/index.ts';
import { beginPartial, type PartialFile, systemErrorReason } from '../../files/index.ts';
import type { Tracer } from '../../run/index.ts';

/**
 * Writes what a tracer has, at any time, also while a run is under way: the file is the old one or the whole new one. It does not
 * wait for anything, so it can be the last thing that a process does.
 */
export function writeTrace(file: string, tracer: Tracer): void {
  whole(file, (path) => {
    const out = openSync(path, 'r+');
    try {
      for (const text of tracer.text()) writeSync(out, text);
    } finally {
      closeSync(out);
    }
    return true;
  });
}

/** Refuses a trace file that could not be written, before there is anything to write. */
export function checkTraceFile(file: string): void {
  whole(file, () => {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
      throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
    return false;
  });
}

/** Begins a file beside `file`, which gets its name where `write` says so and is removed otherwise. */
function whole(file: string, write: (path: string) => boolean): void {
  let partial: PartialFile | undefined;
  try {
    partial = beginPartial(file);
    if (write(partial.path)) partial.finish();
  } catch (error) {
    refuse(file, error);
  } finally {
    partial?.discard();
  }
}

/** What is wrong with the folder that a trace is written into. */
const REASONS: Readonly<Record<string, string | undefined>> = {
  ENOENT: 'its folder is not there',
  ENOTDIR: 'its folder is a file',
};

function refuse(file: string, error: unknown): never {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === '') throw error;
  return fail(
    { where: `trace ${file}`, problem: `cannot be written: ${REASONS[code] ?? systemErrorReason(error)}` },
    { cause: error },
  );
}
