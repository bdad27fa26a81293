import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';
import { beginPartial, systemErrorCode, systemErrorReason, writeHints } from '../../files/index.ts';
import {
  axisTaps,
  boxShape,
  canonicalGrid,
  createNiftiWriter,
  type Grid,
  ImagingError,
  type PreparedGeometry,
  resampledGrid,
  resampledPlanes,
  type Shape3,
  storedPlacer,
  type VoxelBox,
  voxelCount,
  writeVolume,
} from '../../imaging/index.ts';

// Probabilities of all classes at all voxels are many times a scan: they wait in a file, class after class, and are brought to
// the grid of the scan one class at a time.

/** The probabilities of a prepared scan, [class, depth, height, width], in a file that goes with the process. */
export class ProbabilityFile {
  private readonly partial: ReturnType<typeof beginPartial>;
  private readonly handle: number;
  private readonly shape: Shape3;
  private readonly classes: number;
  private readonly folder: string;
  private closed = false;

  /** `folder`: on a disk with room for 4 bytes a voxel and class. */
  constructor(folder: string, shape: Shape3, classes: number) {
    this.folder = folder;
    this.shape = shape;
    this.classes = classes;
    this.partial = this.guarded(() => beginPartial(path.join(folder, 'probabilities')));
    this.handle = this.guarded(() => openSync(this.partial.path, 'r+'));
  }

  /** Takes the probabilities of a box, [depth, height, width, class]; with `add` they are added to those that are there. */
  put(box: VoxelBox, probabilities: Float32Array, add = false): void {
    const [depth, height, width] = boxShape(box);
    const wide = width === this.shape[2];
    const plane = new Float32Array(height * width);
    const before = new Float32Array(add ? plane.length : 0);
    for (let cls = 0; cls < this.classes; cls++)
      for (let k = 0; k < depth; k++) {
        const from = k * plane.length;
        for (let n = 0; n < plane.length; n++) plane[n] = probabilities[(from + n) * this.classes + cls];
        // Rows of the whole width follow each other in the file.
        const rows = wide ? height : 1;
        for (let j = 0; j < height; j += rows) {
          const at = this.position(cls, box.start[0] + k, box.start[1] + j, box.start[2]);
          const [from, to] = [j * width, (j + rows) * width];
          if (add) {
            this.read(before.subarray(from, to), at);
            for (let n = from; n < to; n++) plane[n] = Math.fround(before[n] + plane[n]);
          }
          this.write(plane.subarray(from, to), at);
        }
      }
  }

  /** The plane k of a class, without the air beyond `filled`. */
  plane(cls: number, k: number, filled: Shape3, into: Float32Array): void {
    const [, height, width] = filled;
    const rows = width === this.shape[2] ? height : 1;
    for (let j = 0; j < height; j += rows)
      this.read(into.subarray(j * width, (j + rows) * width), this.position(cls, k, j, 0));
  }

  /** Slices first to end - 1 of all classes, [depth, height, width, class]. */
  slices(first: number, end: number): Float32Array {
    const [, height, width] = this.shape;
    const plane = new Float32Array(height * width);
    const all = new Float32Array((end - first) * plane.length * this.classes);
    for (let cls = 0; cls < this.classes; cls++)
      for (let k = first; k < end; k++) {
        this.plane(cls, k, this.shape, plane);
        const from = (k - first) * plane.length;
        for (let n = 0; n < plane.length; n++) all[(from + n) * this.classes + cls] = plane[n];
      }
    return all;
  }

  /** Removes the file. Safe to call twice. */
  close(): void {
    if (!this.closed) closeSync(this.handle);
    this.closed = true;
    this.partial.discard();
  }

  private position(cls: number, k: number, j: number, i: number): number {
    const [depth, height, width] = this.shape;
    return 4 * (((cls * depth + k) * height + j) * width + i);
  }

  private write(numbers: Float32Array, at: number): void {
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    for (let done = 0; done < bytes.length; )
      done += this.guarded(() => writeSync(this.handle, bytes, done, bytes.length - done, at + done));
  }

  private read(numbers: Float32Array, at: number): void {
    const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    for (let done = 0; done < bytes.length; ) {
      const count = this.guarded(() => readSync(this.handle, bytes, done, bytes.length - done, at + done));
      if (count === 0) throw new RangeError('unreachable: probabilities that were never put');
      done += count;
    }
  }

  private guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const code = systemErrorCode(error);
      throw new ImagingError(
        {
          file: this.folder,
          field: 'file for probabilities',
          expected: `${(4 * this.classes * voxelCount(this.shape)) / 2 ** 20} MiB that can be written and read`,
          found: systemErrorReason(error),
          hint: writeHints[code],
        },
        { cause: error },
      );
    }
  }
}

/** The grid that probabilities are written on: that of the scan, or one with voxels `factor` times as large. */
export function probabilityGrid(original: Grid, factor: number): Grid {
  if (factor === 1) return original;
  const fewer = (n: number): number => Math.max(1, Math.round(n / factor));
  const [depth, height, width] = original.shape;
  return resampledGrid(original, { shape: [fewer(depth), fewer(height), fewer(width)] });
}

/** Bytes of the part of a file's name that stands for a class, at most. */
const longestPart = 60;

/**
 * Names of the files of the classes beside the labels of a scan. What is no letter or digit becomes `_`; where names would then be one
 * file on some disk, the class's number follows.
 */
export const probabilityNames = (output: string, classes: readonly string[]): string[] =>
  namesOfFiles(output, classes, '_probability_');

/** The same for other files of classes: `STEM` + `infix` + `CLASS.nii.gz`. */
export function namesOfFiles(output: string, classes: readonly string[], infix: string): string[] {
  const ending = /\.nii(\.gz)?$/i.exec(output)?.[0] ?? '.nii.gz';
  const stem = outputStem(output);
  const parts = classes.map(partOf);
  const folded = parts.map((part) => part.toLowerCase().normalize('NFC'));
  return parts.map((part, cls) => {
    const alone = folded.every((other, n) => n === cls || other !== folded[cls]);
    return `${stem}${infix}${alone ? part : `${part}_${cls}`}${ending}`;
  });
}

/** The name of a label map without its ending. */
export const outputStem = (output: string): string =>
  output.replace(/\.(nii|nii\.gz|seg\.nrrd|nrrd|mha|dcm|dicom|tiff?)$/i, '');

function partOf(name: string): string {
  let part = '';
  for (const character of name.normalize('NFC').replaceAll(/[^\p{L}\p{M}\p{N}_-]+/gu, '_')) {
    if (Buffer.byteLength(part + character) > longestPart) break;
    part += character;
  }
  return part;
}

/**
 * Writes a class as float32 on the grid of its scan or a coarser one: linear where voxels get smaller, antialiased where they get
 * larger. Holds one volume of that grid.
 */
export async function writeProbability(
  file: string,
  { from, cls }: { readonly from: ProbabilityFile; readonly cls: number },
  { original, filled }: PreparedGeometry,
  factor: number,
): Promise<void> {
  const grid = probabilityGrid(original, factor);
  const canonical = canonicalGrid(grid).shape;
  const [depth, rows, columns] = filled.map((n, axis) => axisTaps(n, canonical[axis]));
  const volume = new Float32Array(voxelCount(grid.shape));
  const put = storedPlacer(grid, volume);
  let k = 0;
  const read = (plane: number, into: Float32Array): void => from.plane(cls, plane, filled, into);
  for (const plane of resampledPlanes([depth, rows, columns], read)) put(plane, k++);
  const writer = await createNiftiWriter(file, grid, { type: 'float32', gzipLevel: 1 });
  await writeVolume(writer, volume, grid.shape[1] * grid.shape[2]);
}
