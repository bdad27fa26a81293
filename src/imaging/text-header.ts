import { open } from 'node:fs/promises';
import { readError } from './byte-reader.ts';
import { ImagingError } from './errors.ts';

/** The lines of text before the voxels of a file. */
export interface TextHeader {
  readonly lines: readonly string[];
  /** Bytes of these lines with their ends: where the voxels begin, if they are in this file. */
  readonly bytes: number;
}

/** Text headers are far shorter; a file of something else shall not be read to its end. */
const most = 1 << 20;

/**
 * Reads lines until `isLast` holds for one (which is kept) or the file ends. Lines end in LF or CR LF.
 * Throws ImagingError for a file without such a line in its first MiB.
 */
export async function readTextHeader(
  file: string,
  isLast: (line: string) => boolean,
  expected: string,
): Promise<TextHeader> {
  const start = await firstBytes(file);
  const lines: string[] = [];
  let at = 0;
  while (at < start.length) {
    const found = start.indexOf(10, at);
    const end = found < 0 ? start.length : found;
    const line = start.toString('latin1', at, end).replace(/\r$/, '');
    lines.push(line);
    at = found < 0 ? end : end + 1;
    if (isLast(line)) return { lines, bytes: at };
  }
  if (start.length < most) return { lines, bytes: at };
  throw new ImagingError({ file, field: 'header', expected, found: `none in the first ${most} bytes` });
}

async function firstBytes(file: string): Promise<Buffer> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(most), 0, most, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw readError(file, error);
  }
}

/** The fields of a text header, read with errors that name the file and the field. */
export class HeaderFields {
  readonly file: string;
  readonly #fields: ReadonlyMap<string, string>;

  /** Names are in the case that they are asked for. */
  constructor(file: string, fields: ReadonlyMap<string, string>) {
    this.file = file;
    this.#fields = fields;
  }

  /** The text of the first of these fields that is there. */
  get(...names: readonly string[]): string | undefined {
    for (const name of names) if (this.#fields.has(name)) return this.#fields.get(name);
    return undefined;
  }

  /** As get; throws where there is none. */
  need(...names: readonly string[]): string {
    return this.get(...names) ?? this.fail(names[0], 'this field', 'nothing');
  }

  /** `count` finite numbers from a text, apart by white space. */
  numbers(name: string, text: string, count: number): number[] {
    const values = text.trim().split(/\s+/).map(Number);
    if (values.length === count && values.every(Number.isFinite)) return values;
    return this.fail(name, `${count} numbers`, text);
  }

  /** Positive whole numbers. */
  sizes(name: string, text: string, count: number): number[] {
    const values = this.numbers(name, text, count);
    if (values.every((n) => Number.isSafeInteger(n) && n > 0)) return values;
    return this.fail(name, 'positive whole numbers', text);
  }

  fail(field: string, expected: string, found: string, hint?: string): never {
    throw new ImagingError({ file: this.file, field, expected, found: found.slice(0, 120), hint });
  }
}
