import { decodeText } from '../core/index.ts';
import { readBytes, readBytesSync } from './bytes/open-file.ts';
import { parseJson } from './wire/json.ts';

export { parseJson } from './wire/json.ts';

// Texts that people, other programs and other systems wrote.

/** The text of a file, as {@link decodeText} reads it. Throws the system's error, or SyntaxError. */
export async function readText(file: string): Promise<string> {
  return decodeText(await readBytes(file));
}

/** {@link readText} at once. */
export function readTextSync(file: string): string {
  return decodeText(readBytesSync(file));
}

/** The value of a JSON file. Throws the system's error, or SyntaxError. */
export async function readJsonFile(file: string): Promise<unknown> {
  return parseJson(await readText(file));
}

/** {@link readJsonFile} at once. */
export function readJsonFileSync(file: string): unknown {
  return parseJson(readTextSync(file));
}
