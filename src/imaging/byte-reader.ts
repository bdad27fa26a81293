import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip, createUnzip } from 'node:zlib';
import { ImagingError, systemErrorCode } from './errors.ts';

const chunkBytes = 1 << 18;

/** No DEFLATE stream grows by more than this factor. */
const largestGzipRatio = 1032;

/** Where the bytes of interest begin in a file, and how they are packed. */
export interface ByteRange {
  /** Bytes on disk to pass over; 0 by default. */
  readonly start?: number;
  /** `gzip or not` (default) looks at the content; `zlib` takes gzip or zlib; `none` takes the bytes as they are. */
  readonly packing?: 'gzip or not' | 'zlib' | 'none';
}

/**
 * Reads a plain or gzipped file (told apart by content, not by name) from front to back in pieces, so that
 * files of any size pass through little memory. Every failure is an ImagingError that names the file.
 */
export class ByteReader {
  readonly file: string;
  /** Whether the bytes are unpacked on the way, by gzip or zlib. */
  readonly gzipped: boolean;
  /** Bytes on disk, from the start of the range on. */
  readonly fileBytes: number;
  /** Bytes handed out or skipped so far, after decompression. */
  position = 0;
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(file: string, fileBytes: number, start: number, packing: 'gzip' | 'zlib' | 'none') {
    this.file = file;
    this.gzipped = packing !== 'none';
    this.fileBytes = fileBytes;
    const source = createReadStream(file, { highWaterMark: chunkBytes, start });
    const unpack = packing === 'gzip' ? createGunzip : createUnzip;
    // The iterator reports errors; the callback only keeps pipeline from throwing them a second time.
    const stream = this.gzipped ? pipeline(source, unpack({ chunkSize: chunkBytes }), () => {}) : source;
    this.#chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  /** Opens a file. Throws ImagingError if it is missing, unreadable or no regular file. */
  static async open(
    file: string,
    { start = 0, packing = 'gzip or not' }: ByteRange = {},
  ): Promise<ByteReader> {
    try {
      const status = await stat(file);
      if (!status.isFile()) {
        const found = status.isDirectory() ? 'a folder' : 'something else (a device or pipe)';
        throw new ImagingError({ file, field: 'path', expected: 'a regular file', found });
      }
      const bytes = Math.max(0, status.size - start);
      if (packing !== 'gzip or not') return new ByteReader(file, bytes, start, packing);
      const handle = await open(file);
      try {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, start);
        const gzipped = bytesRead === 2 && buffer.readUInt16BE(0) === 0x1f8b;
        return new ByteReader(file, bytes, start, gzipped ? 'gzip' : 'none');
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw error instanceof ImagingError ? error : readError(file, error);
    }
  }

  /** The most bytes that this file can hold after decompression. */
  get largestContent(): number {
    return this.gzipped ? this.fileBytes * largestGzipRatio : this.fileBytes;
  }

  /** The next piece, of any size from 1 to `limit` bytes, or undefined at the end. */
  async next(limit = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
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
  async take(n: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let left = n; left > 0; ) {
      const piece = await this.next(left);
      if (piece === undefined) break;
      pieces.push(piece);
      left -= piece.length;
    }
    return Buffer.concat(pieces);
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
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #pull(): Promise<Buffer | undefined> {
    try {
      const { done, value } = await this.#chunks.next();
      return done ? undefined : value;
    } catch (error) {
      throw readError(this.file, error);
    }
  }
}

/** A system's or zlib's error about a file, in words. */
export function readError(file: string, error: unknown): ImagingError {
  const code = systemErrorCode(error);
  const known: Record<string, { field: string; expected: string; found: string; hint?: string }> = {
    ENOENT: { field: 'path', expected: 'a file', found: 'nothing at this path' },
    EACCES: { field: 'path', expected: 'a readable file', found: 'no permission to read' },
    Z_BUF_ERROR: {
      field: 'gzip stream',
      expected: 'a complete stream',
      found: 'a stream that is cut short',
      hint: 'Copy or download the file again.',
    },
    Z_DATA_ERROR: {
      field: 'gzip stream',
      expected: 'intact data',
      found: `damaged data (${error instanceof Error ? error.message : code})`,
      hint: 'Copy or download the file again.',
    },
  };
  const problem = known[code] ?? { field: 'file', expected: 'to be read', found: code };
  return new ImagingError({ file, ...problem }, { cause: error });
}
