import path from 'node:path';
import {
  canonicalGrid,
  type Grid,
  IGNORED,
  ignoresVoxels,
  type LabelCodes,
  loadLabels,
  openScan,
  type Volume,
  writeNifti,
} from '../imaging/index.ts';
import type { OpenedFiles } from './opened-files.ts';
import type { ShownFile } from './protocol.ts';
import { checkedFiles, type StreamedScan } from './scan-stream.ts';

/** Endings of label maps. */
const ENDING = /\.(nii|nii\.gz|nrrd|mha)$/i;

/** Names the files that a page shows: scans as NIfTI files that are made on the way, label maps as ones that are made first. */
export class ShownFiles {
  readonly opened: OpenedFiles;
  /** A folder for files that are made, opened too. */
  private readonly made: string;
  private count = 0;

  constructor(opened: OpenedFiles, made: string) {
    this.opened = opened;
    this.made = made;
  }

  /** A channel of a scan: a file, one of its volumes, or the folder of a DICOM series or of an array of a store. */
  scan(scan: StreamedScan): ShownFile {
    return this.opened.add(scan, `${path.basename(scan.file).replace(ENDING, '')}.nii`);
  }

  /**
   * A label map, a byte a voxel, of the classes that `codes` make of its values; what is left out is 0. Where there are none the values are
   * kept.
   */
  labels(file: string, codes?: LabelCodes): ShownFile {
    const name = path.basename(file).replace(ENDING, '');
    return this.madeOnce(`${name}.nii.gz`, async (made) => {
      await writeNifti(made, await this.labelMap(file, codes), { type: 'uint8', gzipLevel: 1 });
    });
  }

  picture(file: string): ShownFile {
    return this.opened.add(file, path.basename(file));
  }

  /** A label map as {@link labels} shows it, in RAS+ order or on the voxels of `onto`. Throws HalomeshError where its files lie outside of what was opened. */
  async labelMap(file: string, codes?: LabelCodes, onto?: Grid): Promise<Volume<Uint8Array>> {
    const real = await this.opened.checked(file);
    const files = checkedFiles((one) => this.opened.checked(one));
    const { header, close } = await openScan(real, { labels: true, onto }, files);
    await close();
    const labels = await loadLabels(real, onto ?? canonicalGrid(header), undefined, codes);
    if (ignoresVoxels(codes))
      for (let n = 0; n < labels.data.length; n++) if (labels.data[n] === IGNORED) labels.data[n] = 0;
    return labels;
  }

  /** Made when it is first asked for, and once; what fails is tried anew the next time. */
  private madeOnce(name: string, make: (file: string) => Promise<void>): ShownFile {
    const file = path.join(this.made, `${this.count++}.nii.gz`);
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
