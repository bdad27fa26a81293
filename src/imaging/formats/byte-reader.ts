import { systemErrorCode, systemErrorReason } from '../../files/system-errors.ts';
import { ImagingError } from '../volume/errors.ts';
import { type ElementType, elementBytes } from '../volume/nifti-types.ts';
import { concatBytes } from './bytes.ts';
import { largestBzip2Ratio, unpackBzip2 } from './encodings/bzip2.ts';
import { unpackHex, unpackNumbers } from './encodings/text-voxels.ts';
import type { ByteSource, Packing, ScanFiles, Unpacker } from './scan-files.ts';

const chunkBytes = 1 << 18;

/** No DEFLATE stream grows by more than this factor. */
const largestGzipRatio = 1032;

/** Where the bytes of interest begin in a file, and how they are packed. */
export interface ByteRange {
  /** Bytes on disk to pass over; 0 by default. */
  readonly start?: number;
  /**
   * `gzip or not` (default) looks at the content; `zlib` takes gzip or zlib, `deflate` a stream without header or check sum; `none`
   * takes the bytes as they are. `bzip2`, hexadecimal digits (`hex`) and the numbers of a type as text are unpacked here.
   */
  readonly packing?: 'gzip or not' | Packing | OwnPacking | 'none';
}

/** How bytes are packed that no stream of the system unpacks. */
export type OwnPacking = 'bzip2' | 'hex' | { readonly numbers: ElementType };

/** The most bytes that a byte of each can hold. */
function largestRatio(packing: Packing | OwnPacking): number {
  if (packing === 'bzip2') return largestBzip2Ratio;
  if (packing === 'hex') return 1 / 2;
  // A digit and what stands behind it.
  return typeof packing === 'object' ? elementBytes(packing.numbers) : largestGzipRatio;
}

/**
 * Reads a plain or gzipped file (told apart by content, not by name) from front to back in pieces, so that
 * files of any size pass through little memory. Nothing is read or unpacked before it is asked for, but for one piece ahead.
 * Every failure is an ImagingError that names the file. Holds the file open until `close`.
 */
export class ByteReader {
  readonly file: string;
  /** Whether the bytes are unpacked on the way. */
  readonly gzipped: boolean;
  /** Bytes on disk, from the start of the range on. */
  readonly fileBytes: number;
  /** Bytes handed out or skipped so far, after decompression. */
  position = 0;
  readonly #source: ByteSource;
  readonly #unpacker: Unpacker | undefined;
  readonly #ratio: number = 1;
  /** Where in the file the next piece is read. */
  #at: number;
  /** The piece after the one that was handed out last. */
  #ahead: Promise<Uint8Array | undefined> | undefined;
  #rest: Uint8Array = new Uint8Array(0);
  #closed: Promise<void> | undefined;

  private constructor(
    files: ScanFiles,
    file: string,
    source: ByteSource,
    start: number,
    packing: Packing | OwnPacking | 'none',
  ) {
    this.file = file;
    this.gzipped = packing !== 'none';
    this.fileBytes = Math.max(0, source.size - start);
    this.#source = source;
    this.#at = start;
    if (packing === 'none') return;
    this.#ratio = largestRatio(packing);
    const read = () => this.#readPiece();
    if (packing === 'bzip2') this.#unpacker = unpackBzip2(chunkBytes, read);
    else if (packing === 'hex') this.#unpacker = unpackHex(read);
    else if (typeof packing === 'object') this.#unpacker = unpackNumbers(packing.numbers, read);
    else this.#unpacker = files.inflate(packing, chunkBytes, read);
  }

  /** Opens a file. Throws ImagingError if it is missing, unreadable or no regular file. */
  static async open(
    files: ScanFiles,
    file: string,
    { start = 0, packing = 'gzip or not' }: ByteRange = {},
  ): Promise<ByteReader> {
    const source = await files.open(file);
    try {
      if (packing !== 'gzip or not') return new ByteReader(files, file, source, start, packing);
      const [first, second] = await source.read(start, 2);
      const gzipped = first === 0x1f && second === 0x8b;
      return new ByteReader(files, file, source, start, gzipped ? 'gzip' : 'none');
    } catch (error) {
      await source.close();
      throw readError(file, error);
    }
  }

  /** The most bytes that this file can hold after decompression. */
  get largestContent(): number {
    return Math.ceil(this.fileBytes * this.#ratio);
  }

  /** The next piece, of any size from 1 to `limit` bytes, or undefined at the end. */
  async next(limit = Number.POSITIVE_INFINITY): Promise<Uint8Array | undefined> {
    if (this.#rest.length === 0) {
      const result = await this.#pull();
      if (result === undefined) return undefined;
      this.#rest = result;
    }
    const piece = this.#rest.subarray(0, Math.min(limit, this.#rest.length));
    this.#rest = this.#rest.subarray(piece.length);
    this.position += piece.length;
    return piece;
  }

  /** The next n bytes, or fewer where the file ends. */
  async take(n: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for (let left = n; left > 0; ) {
      const piece = await this.next(left);
      if (piece === undefined) break;
      pieces.push(piece);
      left -= piece.length;
    }
    return concatBytes(pieces);
  }

  /** Passes over n bytes; returns how many there were. */
  async skip(n: number): Promise<number> {
    const start = this.position;
    while (this.position - start < n) {
      if ((await this.next(n - (this.position - start))) === undefined) break;
    }
    return this.position - start;
  }

  /** Releases the file. Safe to call at any time, also twice. */
  close(): Promise<void> {
    this.#closed ??= this.#release();
    return this.#closed;
  }

  async #release(): Promise<void> {
    this.#unpacker?.close();
    // A read that is under way still has the file.
    await this.#ahead?.catch(() => undefined);
    await this.#source.close();
  }

  /** The next piece, unpacked; the one after it is read meanwhile. */
  async #pull(): Promise<Uint8Array | undefined> {
    if (this.#closed !== undefined) return undefined;
    const fetch = () => (this.#unpacker === undefined ? this.#readPiece() : this.#unpacker.next());
    try {
      const piece = await (this.#ahead ?? fetch());
      this.#ahead = piece === undefined || this.#closed !== undefined ? undefined : fetch();
      // Whoever asks for that piece is told of its failure; until then nobody is.
      this.#ahead?.catch(() => undefined);
      return piece;
    } catch (error) {
      throw readError(this.file, error);
    }
  }

  /** The next bytes on disk. */
  async #readPiece(): Promise<Uint8Array | undefined> {
    const bytes = await this.#source.read(this.#at, chunkBytes);
    this.#at += bytes.length;
    return bytes.length === 0 ? undefined : bytes;
  }
}

/** The first bytes of a file, at most `most`. Throws ImagingError if it is missing, unreadable or no regular file. */
export async function readStart(files: ScanFiles, file: string, most: number): Promise<Uint8Array> {
  const source = await files.open(file);
  try {
    return await source.read(0, Math.min(most, source.size));
  } catch (error) {
    throw readError(file, error);
  } finally {
    await source.close();
  }
}

/** A system's or zlib's error about a file, in words; an ImagingError as it is. */
export function readError(file: string, error: unknown): ImagingError {
  if (error instanceof ImagingError) return error;
  const code = systemErrorCode(error);
  const text = error instanceof Error ? error.message : code;
  const problem = problems.get(code)?.(text) ?? {
    field: 'file',
    expected: 'to be read',
    found: systemErrorReason(error),
  };
  return new ImagingError({ file, ...problem }, { cause: error });
}

interface Problem {
  readonly field: string;
  readonly expected: string;
  readonly found: string;
  readonly hint?: string;
}

const again = 'Copy or download the file again.';
const damaged = (text: string): Problem => ({
  field: 'gzip stream',
  expected: 'intact data',
  found: `damaged data (${text})`,
  hint: again,
});
const tooManyOpen = (): Problem => ({
  field: 'file',
  expected: 'to be opened',
  found: 'more open files than the system allows',
  hint: 'Raise the limit (ulimit -n).',
});

/** What codes of the system and of zlib mean, given the error's own words. */
const problems: ReadonlyMap<string, (text: string) => Problem> = new Map([
  ['ENOENT', () => ({ field: 'path', expected: 'a file', found: 'nothing at this path' })],
  ['ENOTDIR', () => ({ field: 'path', expected: 'a file', found: 'a path that leads through a file' })],
  ['ELOOP', () => ({ field: 'path', expected: 'a file', found: 'links that lead in a circle' })],
  ['ENAMETOOLONG', () => ({ field: 'path', expected: 'a file', found: 'a name that is too long' })],
  ['ERR_INVALID_ARG_VALUE', () => ({ field: 'path', expected: 'a file', found: 'a name with a null in it' })],
  ['EACCES', () => ({ field: 'path', expected: 'a readable file', found: 'no permission to read' })],
  ['EPERM', () => ({ field: 'path', expected: 'a readable file', found: 'no permission to read' })],
  ['EMFILE', tooManyOpen],
  ['ENFILE', tooManyOpen],
  [
    'EIO',
    () => ({ field: 'file', expected: 'to be read', found: 'an error of the disk (EIO)', hint: again }),
  ],
  [
    'Z_BUF_ERROR',
    () => ({
      field: 'gzip stream',
      expected: 'a complete stream',
      found: 'a stream that is cut short',
      hint: again,
    }),
  ],
  [
    'PACKED_END',
    () => ({ field: 'voxels', expected: 'all of them', found: 'data that are cut short', hint: again }),
  ],
  [
    'PACKED_DATA',
    (text) => ({ field: 'voxels', expected: 'intact data', found: `damaged data (${text})`, hint: again }),
  ],
  ['Z_DATA_ERROR', damaged],
  ['Z_NEED_DICT', damaged],
]);
