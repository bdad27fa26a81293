import { decodeText } from '../../core/index.ts';
import { ImagingError } from '../volume/errors.ts';
import { readStart } from './byte-reader.ts';
import { concatBytes, latin1, utf8 } from './bytes.ts';
import type { ScanFiles } from './scan-files.ts';

/** The lines of text before the voxels of a file. */
export interface TextHeader {
  readonly lines: readonly string[];
  /** Bytes of these lines with their ends: where the voxels begin, if they are in this file. */
  readonly bytes: number;
}

/** Text headers are far shorter; a file of something else shall not be read to its end. */
const most = 1 << 20;

/**
 * Reads lines until `isLast` holds for one (which is kept) or the file ends. Lines end in LF or CR LF, and are in UTF-8, or
 * Latin-1 where they are no UTF-8, or UTF-16 where a byte order mark says so.
 * Throws ImagingError for a file without such a line in its first MiB.
 */
export async function readTextHeader(
  files: ScanFiles,
  file: string,
  isLast: (line: string) => boolean,
  expected: string,
): Promise<TextHeader> {
  const start = await readStart(files, file, most);
  const { feed, mark, decode } = encodingOf(start);
  const lines: string[] = [];
  let at = mark;
  while (at < start.length) {
    const found = indexOfFeed(start, at, feed);
    const end = found < 0 ? start.length : found;
    const line = decode(start.subarray(at, end)).replace(/\r$/, '');
    lines.push(line);
    at = found < 0 ? end : end + feed.length;
    if (isLast(line)) return { lines, bytes: at };
  }
  if (start.length < most) return { lines, bytes: at };
  throw new ImagingError({ file, field: 'header', expected, found: `none in the first ${most} bytes` });
}

/** Whether a file's first bytes, behind a byte order mark, are this text (of ASCII). */
export function startsWithText(start: Uint8Array, pattern: RegExp): boolean {
  const { mark, decode } = encodingOf(start);
  return pattern.test(decode(start.subarray(mark)));
}

interface TextEncoding {
  /** The bytes of a line feed. */
  readonly feed: readonly number[];
  /** Bytes of the byte order mark. */
  readonly mark: number;
  readonly decode: (bytes: Uint8Array) => string;
}

function encodingOf(start: Uint8Array): TextEncoding {
  const wide = (mark: Uint8Array, feed: readonly number[]): TextEncoding => ({
    ...{ feed, mark: 2 },
    // An odd byte at the end is half a character.
    decode: (bytes) => decodeText(concatBytes([mark, bytes.subarray(0, bytes.length & ~1)])),
  });
  if (start[0] === 0xff && start[1] === 0xfe) return wide(start.subarray(0, 2), [10, 0]);
  if (start[0] === 0xfe && start[1] === 0xff) return wide(start.subarray(0, 2), [0, 10]);
  const mark = start[0] === 0xef && start[1] === 0xbb && start[2] === 0xbf ? 3 : 0;
  return { feed: [10], mark, decode: (bytes) => utf8(bytes) ?? latin1(bytes) };
}

/** Where the next line feed is; characters of two bytes begin at even places. */
function indexOfFeed(bytes: Uint8Array, from: number, feed: readonly number[]): number {
  if (feed.length === 1) return bytes.indexOf(feed[0], from);
  for (let at = from; at + 1 < bytes.length; at += 2)
    if (bytes[at] === feed[0] && bytes[at + 1] === feed[1]) return at;
  return -1;
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

  /** Names of all fields. */
  names(): string[] {
    return [...this.#fields.keys()];
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
