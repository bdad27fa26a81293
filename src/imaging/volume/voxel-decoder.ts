import { hostIsLittle, swapBytes } from './byte-order.ts';
import { ImagingError } from './errors.ts';
import { arrayOfType, compactType, type ElementType, elementBytes } from './nifti-types.ts';
import type { VoxelArray } from './volume.ts';

const stagingBytes = 1 << 16;

/** What values a header promises: value = stored * slope + intercept. */
export interface Scaling {
  readonly type: ElementType;
  readonly slope: number;
  readonly intercept: number;
}

/** What the decoder needs to know of a header. */
export interface Encoding extends Scaling {
  readonly littleEndian: boolean;
}

/**
 * The array that keeps a file's values in the least memory: the file's own type where there is no scaling
 * and the type has 8 to 32 bits; int64 and uint64 as 32 bits (a larger value is an error when it is met);
 * float64 and everything scaled as float32.
 */
export function compactArray({ type, slope, intercept }: Scaling, length: number): VoxelArray {
  const scaled = slope !== 1 || intercept !== 0;
  return new (arrayOfType(scaled ? 'float32' : compactType(type)))(length);
}

/** The array for `voxels` voxels, kept as asked for. Throws ImagingError where there is no room for it. */
export function allocateVoxels(
  file: string,
  scaling: Scaling,
  voxels: number,
  as: 'compact' | 'float32' | 'float64' = 'compact',
): VoxelArray {
  try {
    if (as === 'float32') return new Float32Array(voxels);
    if (as === 'float64') return new Float64Array(voxels);
    return compactArray(scaling, voxels);
  } catch (error) {
    const found = `${voxels} voxels (${error instanceof Error ? error.message : error})`;
    const expected = 'an image that fits in memory';
    throw new ImagingError({ file, field: 'dim', expected, found }, { cause: error });
  }
}

export interface DecoderOptions {
  /** For messages. */
  readonly file: string;
  /** Whether NaN and infinity are errors. */
  readonly checkFinite: boolean;
  /** Called when `out` is full, and by `end` for what is left: the voxels, and how many came before. `out` is filled anew then. */
  readonly onFull?: (voxels: VoxelArray, before: number) => void;
}

/** Turns a file's bytes, which come in pieces of any size, into voxels: raw * slope + intercept. */
export class VoxelDecoder {
  readonly #encoding: Encoding;
  readonly #out: VoxelArray;
  readonly #options: DecoderOptions;
  readonly #checkFinite: boolean;
  readonly #staging = new Uint8Array(stagingBytes);
  #staged = 0;
  /** Voxels in `out`, and voxels handed over before. */
  #done = 0;
  #before = 0;

  /** Fills `out` from its start. */
  constructor(encoding: Encoding, out: VoxelArray, options: DecoderOptions) {
    this.#encoding = encoding;
    this.#out = out;
    this.#options = options;
    this.#checkFinite = options.checkFinite && isFloat(out);
  }

  /** Takes the next bytes. Throws ImagingError for a value that cannot be kept. */
  push(bytes: Uint8Array): void {
    const size = elementBytes(this.#encoding.type);
    for (let from = 0; from < bytes.length; ) {
      const room = Math.min(stagingBytes, (this.#out.length - this.#done) * size);
      const n = Math.min(bytes.length - from, room - this.#staged);
      this.#staging.set(bytes.subarray(from, from + n), this.#staged);
      this.#staged += n;
      from += n;
      if (this.#staged === room) this.#flush();
      if (this.#done === this.#out.length) this.#handOver();
    }
  }

  /** Decodes and hands over what is left. */
  end(): void {
    this.#flush();
    this.#handOver();
  }

  #handOver(): void {
    const { onFull } = this.#options;
    if (onFull === undefined || this.#done === 0) return;
    onFull(this.#out.subarray(0, this.#done), this.#before);
    this.#before += this.#done;
    this.#done = 0;
  }

  #flush(): void {
    const size = elementBytes(this.#encoding.type);
    const count = Math.floor(this.#staged / size);
    const used = this.#staging.subarray(0, count * size);
    if (this.#encoding.littleEndian !== hostIsLittle) swapBytes(used, size);
    this.#convert(count);
    if (this.#checkFinite) {
      const voxels = this.#out.subarray(this.#done, this.#done + count);
      refuseNonFinite(this.#options.file, voxels, this.#before + this.#done);
    }
    this.#done += count;
    this.#staging.copyWithin(0, count * size, this.#staged);
    this.#staged -= count * size;
  }

  #convert(count: number): void {
    const { type, slope, intercept } = this.#encoding;
    const { buffer } = this.#staging;
    const at = this.#done;
    if (type === 'int64' || type === 'uint64') {
      this.#convertLong(count);
      return;
    }
    const raw = new (arrayOfType(type))(buffer, 0, count);
    if (slope === 1 && intercept === 0) this.#out.set(raw, at);
    else for (let n = 0; n < count; n++) this.#out[at + n] = raw[n] * slope + intercept;
  }

  #convertLong(count: number): void {
    const { type, slope, intercept } = this.#encoding;
    const words = new Uint32Array(this.#staging.buffer, 0, count * 2);
    const low = hostIsLittle ? 0 : 1;
    for (let n = 0; n < count; n++) {
      const high = type === 'int64' ? words[2 * n + 1 - low] | 0 : words[2 * n + 1 - low];
      const value = high * 2 ** 32 + words[2 * n + low];
      const at = this.#done + n;
      this.#out[at] = value * slope + intercept;
      const narrow = this.#out instanceof Int32Array || this.#out instanceof Uint32Array;
      if (narrow && this.#out[at] !== value) {
        const expected = `${type} values that fit in 32 bits`;
        throw new ImagingError({
          file: this.#options.file,
          field: `voxel ${this.#before + at}`,
          expected,
          found: `${value}`,
        });
      }
    }
  }
}

/**
 * The check of all readers: refuses NaN and infinity among voxels as they will be used, so after scaling. `before` voxels came
 * before these.
 */
export function refuseNonFinite(file: string, voxels: VoxelArray, before: number): void {
  if (!isFloat(voxels)) return;
  for (let n = 0; n < voxels.length; n++) {
    if (Number.isFinite(voxels[n])) continue;
    throw new ImagingError({
      file,
      field: `voxel ${before + n} (counted in file order)`,
      expected: 'a finite number',
      found: `${voxels[n]}`,
      hint: 'Replace NaN and infinite voxels before use; a scale factor (slope) in the header can make them too.',
    });
  }
}

const isFloat = (voxels: VoxelArray): boolean =>
  voxels instanceof Float32Array || voxels instanceof Float64Array;
