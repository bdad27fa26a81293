import path from 'node:path';
import { canonicalGrid, isZarr, loadLabels, readScan, readScanHeader, writeNifti } from '../imaging/index.ts';
import type { OpenedFiles } from './opened-files.ts';
import type { ShownFile } from './protocol.ts';

/** Endings of formats that are one file, which the page reads itself. */
const ONE_FILE = /\.(nii|nii\.gz|nrrd|mha)$/i;

/** Names and makes the files that a page shows: as they are where the page can read them, else as NIfTI files in a folder of ours. */
export class ShownFiles {
  readonly opened: OpenedFiles;
  /** A folder for files that are made, opened too. */
  private readonly made: string;
  private count = 0;

  constructor(opened: OpenedFiles, made: string) {
    this.opened = opened;
    this.made = made;
  }

  /** A scan: a file, or the folder of a DICOM series or of an array of a store. Nothing is read before it is asked for. */
  scan(file: string, series?: string): ShownFile {
    if (ONE_FILE.test(file)) return this.opened.add(file, path.basename(file));
    return this.madeOnce(`${path.basename(file)}.nii`, async (made) => {
      const scan = await readScan(await this.opened.checked(file), { series, nonFinite: 'keep' });
      await writeNifti(made, scan);
    });
  }

  /** A label map, whose values are kept as bytes. */
  labels(file: string): ShownFile {
    const name = path.basename(file).replace(ONE_FILE, '');
    return this.madeOnce(`${name}.nii.gz`, async (made) => {
      const real = await this.opened.checked(file);
      const grid = canonicalGrid(await readScanHeader(real, { labels: true }));
      const labels = await loadLabels(isZarr(file) ? file : real, grid);
      await writeNifti(made, labels, { type: 'uint8', gzipLevel: 1 });
    });
  }

  picture(file: string): ShownFile {
    return this.opened.add(file, path.basename(file));
  }

  /** Made when it is first asked for, and once; what fails is tried anew the next time. */
  private madeOnce(name: string, make: (file: string) => Promise<void>): ShownFile {
    const file = path.join(this.made, `${this.count++}${/\.nii(\.gz)?$/.exec(name)![0]}`);
    let making: Promise<string> | undefined;
    return this.opened.add(() => {
      making ??= make(file).then(
        () => file,
        (error: unknown) => {
          making = undefined;
          throw error;
        },
      );
      return making;
    }, name);
  }
}
