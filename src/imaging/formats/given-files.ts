import { ImagingError } from '../volume/errors.ts';
import { type ByteSource, baseName, type ScanFolders } from './scan-files.ts';
import { unpackByStream } from './unpack-stream.ts';

/** Bytes that can be read in parts: a File or Blob of a browser, for one. */
export interface GivenBytes {
  readonly size: number;
  slice(from: number, to: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/** Files that somebody gave, by their paths with slashes: bytes in memory, or what reads them. */
export type GivenFiles = ReadonlyMap<string, Uint8Array | GivenBytes>;

const folderOf = (file: string): string => file.slice(0, Math.max(0, file.lastIndexOf('/')));
const joined = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);
const alike = (name: string): string => name.normalize('NFC').toLowerCase();

/** A path without `.`, and without `..` behind a folder. */
function straightened(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && parts.length > 0) parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

/** Whether a path is that of a folder that files were given of. */
export const isGivenFolder = (files: GivenFiles, path: string): boolean =>
  !files.has(path) && [...files.keys()].some((file) => path === '' || file.startsWith(`${path}/`));

/** Scans among files that somebody gave, such as those dropped on a page. */
export function givenFiles(files: GivenFiles): ScanFolders {
  /** The file of a name, where only case or Unicode form may differ and there is just one such. */
  const find = (file: string): string | undefined => {
    if (files.has(file)) return file;
    const found = [...files.keys()].filter((name) => alike(name) === alike(file));
    return found.length === 1 ? found[0] : undefined;
  };
  return {
    async open(file) {
      const bytes = files.get(file);
      if (bytes !== undefined) return sourceOf(bytes);
      const found = isGivenFolder(files, file) ? 'a folder' : 'nothing of this name among the files given';
      throw new ImagingError({ file, field: 'path', expected: 'a regular file', found });
    },
    inflate: unpackByStream,
    named(header, field, written) {
      // A path of another machine, or of another place, leads to the file of its name beside the header.
      const beside = joined(folderOf(header), straightened(written.replaceAll('\\', '/')));
      const file = find(beside) ?? find(joined(folderOf(header), baseName(written))) ?? beside;
      if (file !== header) return file;
      const expected = 'another file than the header';
      throw new ImagingError({ file: header, field, expected, found: `${written}, the header itself` });
    },
    find,
    isSame: (one, other) => one === other,
    async list(folder) {
      const below = [...files.keys()].filter((file) => folder === '' || file.startsWith(`${folder}/`));
      const inside = below
        .map((file) => file.slice(folder === '' ? 0 : folder.length + 1))
        .filter((rest) => !rest.startsWith('.'));
      const folders = new Set(inside.filter((rest) => rest.includes('/')).map((rest) => rest.split('/')[0]));
      const paths = (names: Iterable<string>) => [...names].map((name) => joined(folder, name)).sort();
      return { files: paths(inside.filter((rest) => !rest.includes('/'))), folders: paths(folders) };
    },
    folderOf,
  };
}

function sourceOf(bytes: Uint8Array | GivenBytes): ByteSource {
  if (bytes instanceof Uint8Array)
    return {
      size: bytes.length,
      read: async (at, n) => bytes.slice(at, at + n),
      close: async () => undefined,
    };
  return {
    size: bytes.size,
    read: async (at, n) => new Uint8Array(await bytes.slice(at, at + n).arrayBuffer()),
    close: async () => undefined,
  };
}
