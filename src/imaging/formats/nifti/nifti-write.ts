import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import {
  beginPartial,
  type PartialFile,
  systemErrorCode,
  systemErrorReason,
  writeHints,
} from '../../../files/index.ts';
import { hostIsLittle } from '../../volume/byte-order.ts';
import { ImagingError } from '../../volume/errors.ts';
import { typeOfArray, type WritableType } from '../../volume/nifti-types.ts';
import { checkShape, type Grid, type Volume, type VoxelArray } from '../../volume/volume.ts';
import { encodeHeader, toElements } from './nifti-encode.ts';

/** How a NIfTI file is written. */
export interface NiftiWriteOptions {
  /** The element type of the file; by default that of the array. Values are rounded for integer types. */
  readonly type?: WritableType;
  /** 1 (fast) to 9 (small), for `.nii.gz`; 6 by default. */
  readonly gzipLevel?: number;
}

/** A file in the making that takes its slices from k = 0 up; nothing has the final name before finish. */
export interface NiftiWriter {
  /**
   * Writes the next slice of height * width voxels. When the promise resolves the array may be used again;
   * the caller may prepare another slice meanwhile. Throws ImagingError for another length or value range.
   */
  writeSlice(voxels: VoxelArray): Promise<void>;
  /** Ends the file and gives it its name. Throws ImagingError if slices are missing. */
  finish(): Promise<void>;
  /** Gives up and removes what was written. Safe after any failure, also twice. */
  abort(): Promise<void>;
}

/**
 * Starts a NIfTI-1 file (`.nii`, or `.nii.gz`, compressed on the way) that is written slice by slice, so
 * that a volume of any size needs the memory of a few slices.
 */
export async function createNiftiWriter(
  file: string,
  grid: Grid,
  options: NiftiWriteOptions & { readonly type: WritableType },
): Promise<NiftiWriter> {
  checkShape(grid.shape);
  if (!/\.nii(\.gz)?$/i.test(file)) {
    throw new ImagingError({
      file,
      field: 'path',
      expected: 'a name that ends in .nii or .nii.gz',
      found: file,
    });
  }
  const [depth, height, width] = grid.shape;
  const { type } = options;
  const header = encodeHeader(grid, type, hostIsLittle, file);
  const partial = begin(file);
  const disk = createWriteStream(partial.path, { flags: 'r+', flush: true });
  // Where nothing is compressed, a write is done when its bytes are on the way to the disk, so that they may change.
  const gzip = /\.gz$/i.test(file)
    ? createGzip({ level: options.gzipLevel ?? 6, chunkSize: 1 << 17 })
    : undefined;
  const sink: Writable = gzip ?? disk;
  const piped = gzip ? pipeline(gzip, disk) : finished(disk);
  piped.catch(() => {}); // reported by the call that waits for it
  let slices = 0;

  const write = async (bytes: Uint8Array) => {
    const accepted = new Promise<void>((resolve, reject) => {
      sink.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    await guarded(Promise.race([accepted, piped]));
  };
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      await abort();
      throw writeError(file, error);
    }
  };
  const abort = async () => {
    sink.destroy();
    await piped.catch(() => {});
    partial.discard();
  };

  await write(header);
  return {
    abort,
    async writeSlice(voxels) {
      if (voxels.length !== height * width || slices === depth) {
        await abort();
        const expected = `${depth} slices of ${height * width} voxels`;
        const found = `${voxels.length} voxels for slice ${slices}`;
        throw new ImagingError({ file, field: 'slice', expected, found });
      }
      slices++;
      const elements = await guarded((async () => toElements(voxels, type, file))());
      await write(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength));
    },
    async finish() {
      if (slices !== depth) {
        await abort();
        throw new ImagingError({ file, field: 'slices', expected: `${depth}`, found: `${slices}` });
      }
      sink.end();
      await guarded(piped.then(() => partial.finish()));
    },
  };
}

function begin(file: string): PartialFile {
  try {
    return beginPartial(file);
  } catch (error) {
    throw writeError(file, error);
  }
}

/**
 * Writes a volume as NIfTI-1 (`.nii` or `.nii.gz`) with its affine, through a temporary file in the same
 * folder. Throws ImagingError; then no file of this name has appeared or changed.
 */
export async function writeNifti(
  file: string,
  volume: Volume,
  options: NiftiWriteOptions = {},
): Promise<void> {
  const [depth, height, width] = volume.shape;
  const type = options.type ?? typeOfArray(volume.data);
  const writer = await createNiftiWriter(file, volume, { ...options, type });
  for (let k = 0; k < depth; k++) {
    await writer.writeSlice(volume.data.subarray(k * height * width, (k + 1) * height * width));
  }
  await writer.finish();
}

function writeError(file: string, error: unknown): ImagingError {
  if (error instanceof ImagingError) return error;
  const code = systemErrorCode(error);
  return new ImagingError(
    {
      file,
      field: 'file',
      expected: 'to be written',
      found: systemErrorReason(error),
      hint: writeHints[code],
    },
    { cause: error },
  );
}
