// What readers of scans ask of the place that files come from: a disk, or what somebody gave to a page.

/** The bytes of a file, wherever they lie. */
export interface ByteSource {
  readonly size: number;
  /** The bytes from `at` on, at most `n`; fewer where the file ends, none behind it. The array is the caller's. */
  read(at: number, n: number): Promise<Uint8Array>;
  /** Releases the file. */
  close(): Promise<void>;
}

/** How bytes are packed: `zlib` takes gzip or zlib, `deflate` a stream without header or check sum. */
export type Packing = 'gzip' | 'zlib' | 'deflate';

/** Bytes that are unpacked a piece at a time. */
export interface Unpacker {
  /** The next piece, or undefined at the end. Throws for damaged bytes. Not to be called before the last call has ended. */
  next(): Promise<Uint8Array | undefined>;
  /** Ends the work. Safe at any time. */
  close(): void;
}

export interface ScanFiles {
  /** Opens a file. Throws ImagingError if it is missing, unreadable or no regular file. */
  open(file: string): Promise<ByteSource>;
  /** Unpacks what `read` gives, piece by piece, until it gives undefined; pieces have up to `pieceBytes` bytes. */
  inflate(packing: Packing, pieceBytes: number, read: () => Promise<Uint8Array | undefined>): Unpacker;
  /** The file that field `field` of a header names. Throws ImagingError where that is the header itself. */
  named(header: string, field: string, written: string): string;
  /** The name of a file as it is there, where only case or Unicode form differ; undefined where there is none. */
  find(file: string): string | undefined;
  /** Whether two names are those of one file. */
  isSame(one: string, other: string): boolean;
}

/** Files that lie in folders. */
export interface ScanFolders extends ScanFiles {
  /** What lies in a folder and is not hidden, by name. Throws ImagingError where that cannot be told. */
  list(folder: string): Promise<FolderContent>;
  /** The folder that a file lies in. */
  folderOf(file: string): string;
}

/** Paths, in order. A link counts as what it leads to; one to nothing as a file, so that reading it says what is wrong. */
export interface FolderContent {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** The name of a file without its folders. */
export const baseName = (file: string): string =>
  file.slice(Math.max(...['/', '\\'].map((c) => file.lastIndexOf(c))) + 1);
