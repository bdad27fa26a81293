import { existsSync } from 'node:fs';
import path from 'node:path';
import { FileFinder, pathFrom } from '../../files/index.ts';
import { ImagingError } from '../volume/errors.ts';
import { unwrapped } from './dataset-files.ts';

/** Finds the files of the list of a data set, and collects what is wrong with them. */
export class ListedFiles {
  readonly faults: ImagingError[] = [];
  private readonly dir: string;
  private readonly finder = new FileFinder();

  constructor(dir: string) {
    this.dir = dir;
  }

  /** A label map as the list writes it, also on Windows or with another form of its letters than on the disk. */
  label(written: string): string {
    return this.at(pathFrom(this.dir, written));
  }

  /** An image; nnU-Net 1 leaves the number of its channel out of its list. */
  image(written: string): string {
    const file = this.at(pathFrom(this.dir, written));
    if (existsSync(file)) return file;
    const numbered = this.at(file.replace(/(\.nii(\.gz)?)?$/i, '_0000$1'));
    return existsSync(numbered) ? numbered : file;
  }

  private at(file: string): string {
    const found = this.finder.find(path.resolve(this.dir), file);
    if (found.length > 1)
      this.faults.push(
        new ImagingError({
          file,
          field: 'path',
          expected: 'one file',
          found: `${found.length} whose names differ by the Unicode form of their letters alone`,
          hint: 'Remove or rename all but one.',
        }),
      );
    return unwrapped(found[0] ?? file);
  }
}
