import { closeSync, readFileSync } from 'node:fs';
import { decodeText } from '../core/index.ts';
import { openFile, openFileSync } from './bytes/open-file.ts';
import { parseJson } from './wire/json.ts';

export { parseJson } from './wire/json.ts';

// Texts that people, other programs and other systems wrote.

/** All bytes of a file. Throws the system's error. */
export async function readBytes(file: string): Promise<Buffer> {
  const handle = await openFile(file);
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** The text of a file, as {@link decodeText} reads it. Throws the system's error, or SyntaxError. */
export async function readText(file: string): Promise<string> {
  return decodeText(await readBytes(file));
}

/** {@link readText} at once. */
export function readTextSync(file: string): string {
  const opened = openFileSync(file);
  try {
    return decodeText(readFileSync(opened));
  } finally {
    closeSync(opened);
  }
}

/** The value of a JSON file. Throws the system's error, or SyntaxError. */
export async function readJsonFile(file: string): Promise<unknown> {
  return parseJson(await readText(file));
}

/** {@link readJsonFile} at once. */
export function readJsonFileSync(file: string): unknown {
  return parseJson(readTextSync(file));
}
