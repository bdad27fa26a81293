import { type Box, BYTES, boxVolume, type DType, forEachIndex, rowMajorStrides } from '../../core/index.ts';
import type { HostArray } from '../device.ts';
import { numbersIn } from '../host-messages.ts';

// Numbers of the host as the bytes of arrays, row-major, and parts of such arrays.

/** Bits of the nearest bfloat16 numbers, ties to even; NaN stays NaN. */
function bf16Bits(data: HostArray): Uint16Array {
  const bits = new Uint32Array(Float32Array.from(data).buffer);
  return Uint16Array.from(bits, (u) =>
    (u & 0x7fffffff) > 0x7f800000 ? 0x7fc0 : (u + 0x7fff + ((u >>> 16) & 1)) >>> 16,
  );
}

/** Whole numbers saturate, towards zero. */
function typed(dtype: DType, data: HostArray) {
  switch (dtype) {
    case 'f32':
      return Float32Array.from(data);
    case 'f64':
      return Float64Array.from(data);
    case 'bf16':
      return bf16Bits(data);
    case 'u8':
      return Uint8ClampedArray.from(data, Math.trunc);
    case 'i32':
      return Int32Array.from(data, (x) => Math.min(Math.max(Math.trunc(x), -(2 ** 31)), 2 ** 31 - 1));
    default:
      return dtype satisfies never;
  }
}

/** A copy as bytes. */
export const bytesOf = (dtype: DType, data: HostArray): Uint8Array<ArrayBuffer> =>
  new Uint8Array(typed(dtype, data).buffer as ArrayBuffer);

/** The numbers of bytes, which nobody else may hold. */
export const numbersOf = (dtype: DType, bytes: Uint8Array<ArrayBuffer>): HostArray =>
  numbersIn(dtype, (bytes.byteOffset === 0 ? bytes : bytes.slice()).buffer);

const sizesOf = (box: Box): number[] => box.map(({ start, end }) => end - start);

/** Visits the rows of `part` along its last dimension: where they begin in `part` and in `whole`, in bytes, and how long they are. */
function eachRow(
  whole: Box,
  part: Box,
  dtype: DType,
  visit: (inPart: number, inWhole: number, bytes: number) => void,
): void {
  const strides = rowMajorStrides(sizesOf(whole));
  const last = part.at(-1);
  const row = BYTES[dtype] * (last === undefined ? 1 : last.end - last.start);
  let at = 0;
  forEachIndex(part.slice(0, -1), (index) => {
    const first = last === undefined ? [] : [...index, last.start];
    const from = first.reduce((sum, place, i) => sum + (place - whole[i].start) * strides[i], 0);
    visit(at, BYTES[dtype] * from, row);
    at += row;
  });
}

/** A part of an array of the host. */
export function partOf(
  bytes: Uint8Array<ArrayBuffer>,
  whole: Box,
  part: Box,
  dtype: DType,
): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(BYTES[dtype] * boxVolume(part));
  if (made.length > 0)
    eachRow(whole, part, dtype, (inPart, inWhole, count) =>
      made.set(bytes.subarray(inWhole, inWhole + count), inPart),
    );
  return made;
}

/** Puts numbers in place of a part of an array of the host. */
export function putPart(
  bytes: Uint8Array<ArrayBuffer>,
  whole: Box,
  part: Box,
  dtype: DType,
  data: Uint8Array,
): void {
  if (data.length > 0)
    eachRow(whole, part, dtype, (inPart, inWhole, count) =>
      bytes.set(data.subarray(inPart, inPart + count), inWhole),
    );
}
