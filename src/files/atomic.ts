import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { fail } from '../core/index.ts';
import { makeFolder } from './folders.ts';
import { beginPartial, type PartialFile } from './partial-file.ts';
import { systemErrorCode, systemErrorReason, writeHints } from './system-errors.ts';

/**
 * Writes a file under another name, waits until it is on the disk and gives it its name: whatever happens, the name stands
 * for the old file or for the whole new one. Makes the folder.
 */
export async function writeAtomically(
  file: string,
  write: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  let partial: PartialFile | undefined;
  try {
    makeFolder(path.dirname(file));
    partial = beginPartial(file);
    const handle = await open(partial.path, 'r+');
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    partial.finish();
    await syncFolder(path.dirname(file));
  } catch (error) {
    partial?.discard();
    cannotWrite(file, error);
  }
}

/** {@link writeAtomically} of a text, in UTF-8. */
export function writeTextAtomically(file: string, text: string): Promise<void> {
  return writeAtomically(file, (handle) => writeAll(handle, Buffer.from(text)));
}

/** Raises an error of the system with the file's name, which such errors often lack, and others as they are. */
export function cannotWrite(file: string, error: unknown): never {
  if (!(error instanceof Error && 'syscall' in error)) throw error;
  const code = systemErrorCode(error);
  fail(
    { where: file, problem: `cannot be written: ${systemErrorReason(error)}`, hint: writeHints[code] },
    { cause: error },
  );
}

/** The new name outlives a power cut only once the folder is on the disk too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes all bytes of an array, in pieces that a system call takes. */
export async function writeAll(handle: FileHandle, data: ArrayBufferView): Promise<void> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const piece = bytes.subarray(at, at + PIECE);
    const { bytesWritten } = await handle.write(piece, 0, piece.length);
    at += bytesWritten;
  }
}

/** Fills an array from a place in a file; false where the file ends before. */
export async function readAll(handle: FileHandle, data: ArrayBufferView, from: number): Promise<boolean> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(PIECE, bytes.length - at);
    const { bytesRead } = await handle.read(bytes, at, length, from + at);
    if (bytesRead === 0) return false;
    at += bytesRead;
  }
  return true;
}

const PIECE = 2 ** 26;
