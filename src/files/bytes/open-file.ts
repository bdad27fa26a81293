import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

// Without waiting: opening a pipe waits for its other end, even beyond the signals that end a process.
const READING = constants.O_RDONLY | constants.O_NONBLOCK;

/** Opens a file to be read. Throws the system's error; pipes and devices, which may never end, are refused with `EFTYPE`. */
export async function openFile(file: string): Promise<FileHandle> {
  const handle = await open(file, READING);
  try {
    refuseEndless(file, await handle.stat());
    return handle;
  } catch (error) {
    await handle.close();
    throw named(error, file);
  }
}

/** All bytes of a file, opened as by {@link openFile}. */
export async function readBytes(file: string): Promise<Buffer> {
  const handle = await openFile(file);
  try {
    return await handle.readFile();
  } catch (error) {
    throw named(error, file);
  } finally {
    await handle.close();
  }
}

/** {@link readBytes} at once. */
export function readBytesSync(file: string): Buffer {
  const opened = openFileSync(file);
  try {
    return readFileSync(opened);
  } catch (error) {
    throw named(error, file);
  } finally {
    closeSync(opened);
  }
}

/** {@link openFile} at once; the number of the open file. */
export function openFileSync(file: string): number {
  const opened = openSync(file, READING);
  try {
    refuseEndless(file, fstatSync(opened));
    return opened;
  } catch (error) {
    closeSync(opened);
    throw named(error, file);
  }
}

/** The system does not say which file is open; its error shall. */
function named(error: unknown, file: string): unknown {
  return error instanceof Error && 'syscall' in error ? Object.assign(error, { path: file }) : error;
}

/** A folder is refused by the system, when it is read. */
function refuseEndless(file: string, found: Stats): void {
  if (found.isFile() || found.isDirectory()) return;
  const code = 'EFTYPE';
  throw Object.assign(new Error(`${code}: no file, open '${file}'`), { code, syscall: 'open', path: file });
}
