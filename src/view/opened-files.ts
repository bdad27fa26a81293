import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import path from 'node:path';
import { fail } from '../core/index.ts';
import { isInside } from '../files/index.ts';
import type { ShownFile } from './protocol.ts';

/** An opened file and how it is named to the page. */
export interface OpenedFile {
  readonly handle: FileHandle;
  readonly size: number;
  readonly name: string;
}

/** A file as it is to be served: at its path, or made first. */
type Source = string | (() => Promise<string>);

/**
 * The files that a page may fetch: each was named by what was opened, and is served only where it really lies in an opened folder,
 * links followed. The page knows them by numbers that say nothing of their paths.
 */
export class OpenedFiles {
  private readonly roots: string[] = [];
  private readonly files = new Map<string, { readonly source: Source; readonly name: string }>();

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
    const file = typeof known.source === 'string' ? known.source : await known.source();
    const handle = await open(await this.checked(file));
    const { size } = await handle.stat();
    return { handle, size, name: known.name };
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
