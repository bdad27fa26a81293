import { mapSome } from '../../../core/index.ts';
import { hostIsLittle, swapBytes } from '../../volume/byte-order.ts';
import { arrayOfType, type ElementType } from '../../volume/nifti-types.ts';
import type { SlabSink } from '../../volume/scan-types.ts';
import type { VoxelArray } from '../../volume/volume.ts';
import { refuseNonFinite } from '../../volume/voxel-decoder.ts';
import { readFragments } from './dicom-encapsulated.ts';
import { readPlain } from './dicom-file.ts';
import type { DicomSlice } from './dicom-slice.ts';

/**
 * The smallest type that holds every value that these slices can have: an integer type where all slopes and intercepts are
 * whole, as in CT, else float32.
 */
export function valueType(slices: readonly DicomSlice[]): ElementType {
  let [low, high] = [0, 0];
  for (const { slope, intercept, pixels } of slices) {
    if (!Number.isInteger(slope) || !Number.isInteger(intercept)) return 'float32';
    const signed = !pixels.type.startsWith('u');
    const count = 2 ** pixels.bitsStored;
    const ends = signed ? [-count / 2, count / 2 - 1] : [0, count - 1];
    for (const end of ends) {
      low = Math.min(low, end * slope + intercept);
      high = Math.max(high, end * slope + intercept);
    }
  }
  if (low >= 0 && high < 256) return 'uint8';
  if (low >= -32768 && high < 32768) return 'int16';
  if (low >= 0 && high < 65536) return 'uint16';
  if (low >= -(2 ** 31) && high < 2 ** 31) return 'int32';
  return 'float32';
}

/** Reads the pixels of all slices, in this order, as OpenScan asks for it; the files of a slab are read at the same time. */
export async function readSlices(
  slices: readonly DicomSlice[],
  slab: VoxelArray,
  checkFinite: boolean,
  take: SlabSink<unknown>['take'],
): Promise<void> {
  const plane = slices[0].rows * slices[0].columns;
  const most = Math.floor(slab.length / plane);
  for (let first = 0; first < slices.length; first += most) {
    const some = slices.slice(first, first + most);
    await mapSome(some, (slice, n) =>
      readSlice(slice, slab.subarray(n * plane, (n + 1) * plane), checkFinite),
    );
    take(slab.subarray(0, some.length * plane), first);
  }
}

/** Reads the pixels of one slice, scaled. Throws ImagingError, also for values that are not finite where that is checked. */
export async function readSlice(slice: DicomSlice, out: VoxelArray, checkFinite: boolean): Promise<void> {
  const { files, file, place, pixels } = slice;
  const bytes = out.length * pixels.bytes;
  const stored =
    'fragments' in place
      ? await (await import('./codecs/unpack.ts')).unpack(
          slice,
          await readFragments(files, file, place.fragments, mostPacked(bytes)),
          place.syntax,
        )
      : await readPlain({ files, file, pixels: place }, bytes);
  decode(stored, slice, out);
  if (checkFinite) refuseNonFinite(file, out, 0);
}

/** Bytes that a compressed frame may take: noise grows a little, headers and small frames more. */
const mostPacked = (bytes: number): number => 4 * bytes + (1 << 20);

/** Stored bits above High Bit and below its lowest may hold anything (DICOM PS3.5, 8.1.1). */
function decode(bytes: Uint8Array, { pixels, slope, intercept }: DicomSlice, out: VoxelArray): void {
  const { type, bitsStored, highBit } = pixels;
  if (pixels.bigEndian === hostIsLittle) swapBytes(bytes, pixels.bytes);
  // An array of its own begins at 0, so every type is aligned.
  const own = bytes.byteOffset % pixels.bytes === 0 ? bytes : Uint8Array.from(bytes);
  const raw = new (arrayOfType(type))(own.buffer, own.byteOffset, out.length);
  const up = 31 - highBit;
  const down = 32 - bitsStored;
  const signed = !type.startsWith('u');
  for (let n = 0; n < out.length; n++) {
    const bits = raw[n] << up;
    out[n] = (signed ? bits >> down : bits >>> down) * slope + intercept;
  }
}
