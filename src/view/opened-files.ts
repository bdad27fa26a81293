import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { fail } from '../core/index.ts';
import { isInside, openFile } from '../files/index.ts';
import type { ShownFile } from './protocol.ts';
import type { ByteRange } from './ranges.ts';
import { type StreamedScan, streamScan } from './scan-stream.ts';

/** An opened file and how it is named to the page. */
export interface OpenedFile {
  readonly size: number;
  readonly name: string;
  /** Whether parts of it can be read. */
  readonly byRanges: boolean;
  /** All of it or a part, to be called once. */
  read(range?: ByteRange): Readable;
  close(): Promise<void>;
}

/** A file as it is to be served: at its path, made first, or a scan that is read on the way. */
type Source = string | (() => Promise<string>) | StreamedScan;

/**
 * The files that a page may fetch: each was named by what was opened, and is served only where it really lies in an opened folder,
 * links followed; so is what its header names. The page knows them by numbers that say nothing of their paths.
 */
export class OpenedFiles {
  /** What was opened: folders with all that is in them, and files. */
  readonly roots: string[] = [];
  private readonly files = new Map<string, { readonly source: Source; readonly name: string }>();
  private readonly problems = new Map<string, string>();

  /** Opens a folder with all that is in it, or a single file. Throws the system's error where there is none. */
  openRoot(root: string): void {
    this.roots.push(realpathSync(root));
  }

  /** Makes a file known to the page. `source` may make it when it is first asked for. */
  add(source: Source, name: string): ShownFile {
    const id = randomUUID();
    this.files.set(id, { source, name });
    return { url: `files/${id}/${encodeURIComponent(name)}`, name };
  }

  /** Undefined where no file has this number. Throws HalomeshError for one that lies outside of what was opened. */
  async open(id: string): Promise<OpenedFile | undefined> {
    const known = this.files.get(id);
    if (known === undefined) return undefined;
    const { source, name } = known;
    this.problems.delete(id);
    if (typeof source === 'object') {
      const stream = await streamScan(source, (file) => this.checked(file));
      const read = (): Readable => stream.read().on('error', ({ message }) => this.problems.set(id, message));
      return { size: stream.size, name, byRanges: false, read, close: () => stream.close() };
    }
    const handle = await openFile(await this.checked(typeof source === 'string' ? source : await source()));
    const { size } = await handle.stat();
    const read = ({ start, end }: ByteRange = { start: 0, end: size - 1 }): Readable =>
      handle.createReadStream({ start, end, autoClose: false, highWaterMark: 2 ** 18 });
    return { size, name, byRanges: true, read, close: () => handle.close() };
  }

  /** Why a file that was begun did not come to its end; undefined where nothing is known. */
  problemOf(id: string): string | undefined {
    return this.problems.get(id);
  }

  /** Where a file really lies. Throws HalomeshError where that is outside of what was opened. */
  async checked(file: string): Promise<string> {
    const real = await realpath(file);
    if (!this.roots.some((root) => root === real || isInside(root, real)))
      fail({
        where: file,
        problem: `lies outside of the opened folders, in ${path.dirname(real)}`,
        hint: 'Name that folder on the command line too',
      });
    return real;
  }
}
