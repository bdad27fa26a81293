import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

// A letter with an accent may be one character of Unicode or two, and disks and archives of some systems change one into the
// other: names that look alike are alike.

/** Names by the form in which they are compared. */
export const sameForm = (name: string): string => name.normalize('NFC');

/** Finds files by names whose form of Unicode may be another one on the disk; looks into each folder once. */
export class FileFinder {
  private readonly folders = new Map<string, ReadonlyMap<string, readonly string[]>>();

  /** The paths that are there and equal this one but for the form of its letters below `root`: none, one, or several. */
  find(root: string, file: string): readonly string[] {
    const between = path.relative(root, file);
    // Plain letters have one form.
    if (between === sameForm(between) && between === between.normalize('NFD')) {
      return existsSync(file) ? [file] : [];
    }
    let found: readonly string[] = [root];
    for (const part of between.split(path.sep))
      found = found.flatMap((folder) =>
        part === '..'
          ? [path.dirname(folder)]
          : this.within(folder, part).map((name) => path.join(folder, name)),
      );
    return found.filter((one) => existsSync(one));
  }

  private within(folder: string, name: string): readonly string[] {
    let names = this.folders.get(folder);
    if (names === undefined) {
      const listed = new Map<string, string[]>();
      for (const one of namesOf(folder)) {
        const known = listed.get(sameForm(one));
        if (known === undefined) listed.set(sameForm(one), [one]);
        else known.push(one);
      }
      names = listed;
      this.folders.set(folder, names);
    }
    return names.get(sameForm(name)) ?? [];
  }
}

/** What lies in a folder; nothing where it cannot be listed: whoever opens a file in it says why. */
function namesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
