import { type BigIntStats, existsSync, lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { fail } from '../core/index.ts';
import { checkPlace } from './folders.ts';
import { systemErrorCode } from './system-errors.ts';

// What a command writes is never what it reads, by whatever names and links the two are reached.

export interface OutputCheck {
  /** Files that are read, and folders whose files are (all of them, to any depth); undefined stands for none. */
  readonly reads: readonly (string | undefined)[];
  /** Files that will be written. */
  readonly writes: readonly string[];
  /** Whether files that are there may be replaced; not those that are read. */
  readonly overwrite?: boolean;
}

/**
 * Checks, before the first byte is written, that no output is an input or another output, that their folders can be written, and,
 * unless `overwrite`, that none is there. Throws HalomeshError that names the output. Outputs that are links stand for the files that they lead to.
 */
export function checkOutputs({ reads, writes, overwrite = false }: OutputCheck): void {
  const inputs = new Map<string, string>();
  for (const file of reads.flatMap((read) => (read === undefined ? [] : filesOf(read))))
    inputs.set(identityOf(file), file);
  const outputs = new Map<string, string>();
  for (const file of writes) {
    const identity = identityOf(file);
    const input = inputs.get(identity);
    if (input !== undefined)
      fail({
        where: file,
        problem: 'the output is a file that is read',
        found: input,
        hint: 'Write to another name or folder: halomesh never writes over what it reads',
      });
    const other = outputs.get(identity);
    if (other !== undefined)
      fail({ where: file, problem: 'two outputs are one file', found: `${other} and ${file}` });
    outputs.set(identity, file);
  }
  // One of each folder stands for all that are written there.
  const places = new Map(writes.map((file) => [path.dirname(path.resolve(file)), file]));
  for (const file of places.values()) checkPlace(file);
  for (const file of writes) if (!overwrite) refuseExisting(file);
}

/** Throws HalomeshError where something is at the path of an output: the one message of all commands. */
export function refuseExisting(file: string): void {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined) return;
  fail({
    where: file,
    problem: 'the output is there already',
    found: found.isDirectory() ? 'a folder' : 'a file',
    hint: 'Choose another name, or give --overwrite to replace it',
  });
}

/** Whether two paths lead to one file or folder, there or not. */
export const isSamePath = (one: string, other: string): boolean => identityOf(one) === identityOf(other);

/** What a path leads to: device and number of what is there; of what is not, those of the folder above, and the rest of its name. */
function identityOf(file: string): string {
  let at = path.resolve(file);
  const rest: string[] = [];
  for (let links = 0; ; ) {
    const found = statOf(at);
    if (found !== undefined) return [`${found.dev}:${found.ino}`, ...rest].join('/');
    // A link to nothing stands for what it names.
    const link = links < 40 ? linkOf(at) : undefined;
    if (link !== undefined) {
      at = path.resolve(path.dirname(at), link);
      links++;
      continue;
    }
    const above = path.dirname(at);
    if (above === at) return [at, ...rest].join('/');
    rest.unshift(path.basename(at));
    at = above;
  }
}

function statOf(file: string): BigIntStats | undefined {
  try {
    return statSync(file, { bigint: true });
  } catch (error) {
    const code = systemErrorCode(error);
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES'].includes(code)) return undefined;
    throw error;
  }
}

function linkOf(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}

/** A file itself, or the folder and all files in it and its folders. */
function filesOf(file: string): string[] {
  if (!existsSync(file) || !statOf(file)?.isDirectory()) return [file];
  const below = readdirSync(file, { recursive: true, withFileTypes: true });
  return [
    file,
    ...below.filter((entry) => !entry.isDirectory()).map((entry) => path.join(entry.parentPath, entry.name)),
  ];
}
