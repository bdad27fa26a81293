import { checkSize, type FrameFormat, samplesAsPixels } from './frame-format.ts';
import { decodeSequential } from './jpeg-dct.ts';
import { decodeLossless } from './jpeg-lossless.ts';
import { readSegments } from './jpeg-segments.ts';

/** A frame of JPEG: baseline (8 bits), extended (8 or 12 bits) or lossless (2 to 16 bits), with Huffman codes. */
export function decodeJpeg(packed: Uint8Array, format: FrameFormat): Uint8Array {
  const image = readSegments(packed);
  checkSize(image.columns, image.rows, format);
  const decode = image.process === 'lossless' ? decodeLossless : decodeSequential;
  return samplesAsPixels(decode(packed, image), image.precision, format);
}
