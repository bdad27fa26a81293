import { make } from '../src/dom.ts';

// Files that are dropped on the page or chosen, by their paths below what was dropped; and files that it gives.

export const pathsOf = (list: Iterable<File>): Map<string, File> =>
  new Map([...list].map((file) => [file.webkitRelativePath || file.name, file]));

/** All files of what was dropped, folders within folders too. */
export async function droppedFiles({ items }: DataTransfer): Promise<Map<string, File>> {
  const found = new Map<string, File>();
  // To be asked before anything is waited for.
  const entries = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  for (const entry of entries) await collect(entry, found);
  return found;
}

async function collect(entry: FileSystemEntry, found: Map<string, File>): Promise<void> {
  const path = entry.fullPath.replace(/^\//, '');
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    found.set(path, file);
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader gives a folder in pieces, the last one empty.
    const piece = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (piece.length === 0) return;
    for (const one of piece) await collect(one, found);
  }
}

/** Has the browser save something under a name. */
export function handOut(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  make('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
