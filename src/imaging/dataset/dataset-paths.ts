import { existsSync } from 'node:fs';
import path from 'node:path';
import { FileFinder, pathFrom } from '../../files/index.ts';
import { isPictureName } from '../formats/picture/picture-grid.ts';
import { ImagingError } from '../volume/errors.ts';
import type { ChannelFile } from '../volume/scan-types.ts';
import { channelNumber, stem, unwrapped, volumesOf } from './dataset-files.ts';

/** A file's name with the number of a channel. */
const numberedAs = (file: string, channel: number): string => {
  const name = path.basename(file);
  const ending = name.slice(stem(name).length);
  return `${file.slice(0, file.length - ending.length)}_${String(channel).padStart(4, '0')}${ending}`;
};

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
    const numbered = this.at(numberedAs(file, 0));
    return existsSync(numbered) ? numbered : file;
  }

  /**
   * The channels of an image, so many: files with their numbers, of which the list names the first or what they have in common, or the
   * volumes of one file.
   */
  channels(written: string, count: number): ChannelFile[] {
    const file = this.at(pathFrom(this.dir, written));
    const first = channelNumber(path.basename(file))?.channel === 0;
    if (existsSync(file) && !first) return volumesOf(file, count);
    const whole = first ? file.replace(/_0000(?=(\.nii(\.gz)?|\.[a-z]+)*$)/i, '') : file;
    const numbered = (n: number): string => this.at(numberedAs(whole, n));
    // A picture holds its colours in one file, which has the number 0 all the same.
    if (isPictureName(file) && existsSync(numbered(0)) && !existsSync(numbered(1)))
      return volumesOf(numbered(0), count);
    if (!existsSync(numbered(0))) return [{ file }];
    return Array.from({ length: count }, (_, n) => ({ file: numbered(n) }));
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
