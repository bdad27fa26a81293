import { isUtf8 } from 'node:buffer';
import { decodeText } from '../../files/index.ts';
import { ImagingError } from '../volume/errors.ts';
import { readStart } from './byte-reader.ts';

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
  file: string,
  isLast: (line: string) => boolean,
  expected: string,
): Promise<TextHeader> {
  const start = await readStart(file, most);
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
export function startsWithText(start: Buffer, pattern: RegExp): boolean {
  const { mark, decode } = encodingOf(start);
  return pattern.test(decode(start.subarray(mark)));
}

interface TextEncoding {
  /** The bytes of a line feed. */
  readonly feed: Buffer;
  /** Bytes of the byte order mark. */
  readonly mark: number;
  readonly decode: (bytes: Buffer) => string;
}

function encodingOf(start: Buffer): TextEncoding {
  const wide = (mark: Buffer, feed: Buffer): TextEncoding => ({
    ...{ feed, mark: 2 },
    // An odd byte at the end is half a character.
    decode: (bytes) => decodeText(Buffer.concat([mark, bytes.subarray(0, bytes.length & ~1)])),
  });
  if (start[0] === 0xff && start[1] === 0xfe) return wide(start.subarray(0, 2), Buffer.from([10, 0]));
  if (start[0] === 0xfe && start[1] === 0xff) return wide(start.subarray(0, 2), Buffer.from([0, 10]));
  const mark = start.length >= 3 && start.readUIntBE(0, 3) === 0xefbbbf ? 3 : 0;
  const decode = (bytes: Buffer) => (isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1'));
  return { feed: Buffer.from([10]), mark, decode };
}

/** Where the next line feed is; characters of two bytes begin at even places. */
function indexOfFeed(bytes: Buffer, from: number, feed: Buffer): number {
  let at = bytes.indexOf(feed, from);
  while (at >= 0 && feed.length === 2 && (at - from) % 2 === 1) at = bytes.indexOf(feed, at + 1);
  return at;
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
