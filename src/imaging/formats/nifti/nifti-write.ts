import { hostIsLittle } from '../../volume/byte-order.ts';
import { ImagingError } from '../../volume/errors.ts';
import { typeOfArray, type WritableType } from '../../volume/nifti-types.ts';
import { checkShape, type Grid, type Volume } from '../../volume/volume.ts';
import { createByteWriter, type SliceWriter, sliceWriter, writeVolume } from '../byte-writer.ts';
import { encodeHeader, toElements } from './nifti-encode.ts';

/** How a NIfTI file is written. */
export interface NiftiWriteOptions {
  /** The element type of the file; by default that of the array. Values are rounded for integer types. */
  readonly type?: WritableType;
  /** 1 (fast) to 9 (small), for `.nii.gz`; 6 by default. */
  readonly gzipLevel?: number;
  /** A text that stands in the file as an extension of the kind "comment" (code 6). */
  readonly comment?: string;
}

/** A NIfTI file in the making. */
export type NiftiWriter = SliceWriter;

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
  const { type, gzipLevel = 6, comment } = options;
  const head = encodeHeader(grid, type, hostIsLittle, file, comment);
  const packed = /\.gz$/i.test(file);
  const bytes = await createByteWriter(file, packed ? { gzipLevel } : {});
  await bytes.write(head);
  return sliceWriter(file, bytes, {
    shape: grid.shape,
    encode(voxels) {
      const elements = toElements(voxels, type, file);
      return new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
    },
  });
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
  const [, height, width] = volume.shape;
  const type = options.type ?? typeOfArray(volume.data);
  const writer = await createNiftiWriter(file, volume, { ...options, type });
  await writeVolume(writer, volume.data, height * width);
}
