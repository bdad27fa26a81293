import { CodecError } from '../dicom/codecs/frame-format.ts';
import type { PictureSamples } from './picture-types.ts';

// Bytes of pictures as samples.

/** Samples of 1, 2 or 4 bits, the highest bits first, whose rows begin with a byte of their own. */
export function unpackBits(bytes: Uint8Array, bits: 1 | 2 | 4, rows: number, columns: number): Uint8Array {
  const out = new Uint8Array(rows * columns);
  const rowBytes = Math.ceil((columns * bits) / 8);
  const [perByte, mask] = [8 / bits, 2 ** bits - 1];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const byte = bytes[row * rowBytes + Math.floor(column / perByte)];
      out[row * columns + column] = (byte >> (8 - bits * ((column % perByte) + 1))) & mask;
    }
  return out;
}

/** Samples of 16 bits. */
export function wideSamples(bytes: Uint8Array, little: boolean): Uint16Array {
  const out = new Uint16Array(bytes.length >> 1);
  const [low, high] = little ? [0, 1] : [1, 0];
  for (let n = 0; n < out.length; n++) out[n] = bytes[2 * n + low] | (bytes[2 * n + high] << 8);
  return out;
}

/** Makes samples of differences from the pixel before, along rows of `columns` pixels, in place. */
export function addDifferences(samples: PictureSamples, columns: number, perPixel: number): void {
  const row = columns * perPixel;
  for (let start = 0; start < samples.length; start += row) {
    const end = Math.min(start + row, samples.length);
    for (let n = start + perPixel; n < end; n++) samples[n] += samples[n - perPixel];
  }
}

/** The first `keep` of the samples of each pixel. */
export function firstOf<T extends PictureSamples>(samples: T, perPixel: number, keep: number): T {
  if (perPixel === keep) return samples;
  const pixels = samples.length / perPixel;
  const out = samples.slice(0, pixels * keep) as T;
  for (let n = 0; n < pixels; n++)
    for (let channel = 0; channel < keep; channel++)
      out[n * keep + channel] = samples[n * perPixel + channel];
  return out;
}

/** Samples that are packed by PackBits (TIFF 6.0, section 9), which become `size` bytes. */
export function unpackPackBits(packed: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  let to = 0;
  for (let at = 0; at < packed.length && to < size; ) {
    const head = packed[at++];
    if (head === 128) continue;
    const count = head < 128 ? head + 1 : 257 - head;
    if (to + count > size) throw new CodecError(`more than ${size} bytes unpacked`);
    if (head < 128) {
      if (at + count > packed.length) break;
      out.set(packed.subarray(at, at + count), to);
      at += count;
    } else out.fill(packed[at++], to, to + count);
    to += count;
  }
  if (to === size) return out;
  throw new CodecError(`${to} bytes unpacked, where there should be ${size}`);
}

/** Samples of pixels that lie together, of channels that lie apart. */
export function interleaved(planes: readonly PictureSamples[]): PictureSamples {
  const [first] = planes;
  if (planes.length === 1) return first;
  const count = first.length * planes.length;
  const out = first instanceof Uint8Array ? new Uint8Array(count) : new Uint16Array(count);
  for (const [channel, plane] of planes.entries())
    for (let n = 0; n < plane.length; n++) out[n * planes.length + channel] = plane[n];
  return out;
}
