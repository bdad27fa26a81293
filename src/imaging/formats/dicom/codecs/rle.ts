import { viewOf } from '../../bytes.ts';
import { CodecError, type FrameFormat } from './frame-format.ts';

/** Bytes of the header: the number of segments, and where up to 15 of them begin. */
const headerBytes = 64;

/**
 * RLE Lossless (DICOM PS3.5, annex G): a segment for each byte of a pixel, the most significant first, each packed by PackBits.
 */
export function decodeRle(packed: Uint8Array, { rows, columns, bytes }: FrameFormat): Uint8Array {
  if (packed.length < headerBytes) throw new CodecError(`${packed.length} bytes, less than a header`);
  const view = viewOf(packed);
  const segments = view.getUint32(0, true);
  if (segments !== bytes)
    throw new CodecError(`${segments} segments, where pixels of ${8 * bytes} bits have ${bytes}`);
  const pixels = rows * columns;
  const out = new Uint8Array(pixels * bytes);
  for (let segment = 0; segment < segments; segment++) {
    const start = view.getUint32(4 + 4 * segment, true);
    const end = segment + 1 < segments ? view.getUint32(8 + 4 * segment, true) : packed.length;
    if (start < headerBytes || end < start || end > packed.length)
      throw new CodecError(`segment ${segment} at bytes ${start} to ${end} of ${packed.length}`);
    unpack(packed.subarray(start, end), out, bytes - 1 - segment, bytes, segment);
  }
  return out;
}

/** Unpacks a segment to every `step`th byte. */
function unpack(packed: Uint8Array, out: Uint8Array, first: number, step: number, segment: number): void {
  let at = 0;
  let place = first;
  while (place < out.length) {
    if (at >= packed.length) {
      const found = (place - first) / step;
      throw new CodecError(`${found} of ${out.length / step} bytes in segment ${segment}`);
    }
    const control = packed[at++];
    // 128 says nothing; less is a run of other bytes, more a byte repeated.
    if (control === 128) continue;
    const count = control < 128 ? control + 1 : 257 - control;
    const read = control < 128 ? count : 1;
    if (at + read > packed.length || place + (count - 1) * step >= out.length)
      throw new CodecError(`a run of ${count} bytes beyond the end of segment ${segment}`);
    for (let n = 0; n < count; n++, place += step) out[place] = packed[control < 128 ? at + n : at];
    at += read;
  }
}
