/** How the pixels of a frame of one sample a pixel are stored once they are unpacked. */
export interface FrameFormat {
  readonly rows: number;
  readonly columns: number;
  /** Bytes that each pixel takes (Bits Allocated / 8). */
  readonly bytes: 1 | 2 | 4;
  /** Whether pixels are two's complement (Pixel Representation 1). */
  readonly signed: boolean;
}

/** Gives the pixels of a frame, row by row, in little endian. Throws CodecError for a frame that is damaged or another one. */
export type FrameDecoder = (packed: Uint8Array, format: FrameFormat) => Uint8Array;

/** What is wrong with a compressed frame, in words that follow "found". */
export class CodecError extends Error {
  override readonly name = 'CodecError';
}

/** Refuses a frame of another size than the file says. */
export function checkSize(columns: number, rows: number, format: FrameFormat): void {
  if (columns === format.columns && rows === format.rows) return;
  throw new CodecError(
    `a frame of ${columns} x ${rows} pixels, where the file says ${format.columns} x ${format.rows}`,
  );
}

/**
 * Samples of `precision` bits as pixels of the file: of signed pixels the highest of these bits is the sign. Codecs of JPEG and JPEG-LS
 * know no signs and give the bits alone. Throws CodecError where pixels have not that many bits.
 */
export function samplesAsPixels(
  samples: ArrayLike<number>,
  precision: number,
  { bytes, signed }: FrameFormat,
): Uint8Array {
  if (precision > 8 * bytes)
    throw new CodecError(`samples of ${precision} bits, where the file allocates ${8 * bytes} bits`);
  const out = new Uint8Array(samples.length * bytes);
  const view = new DataView(out.buffer);
  const shift = 32 - precision;
  for (let n = 0; n < samples.length; n++) {
    const value = signed ? (samples[n] << shift) >> shift : samples[n];
    if (bytes === 1) view.setUint8(n, value);
    else if (bytes === 2) view.setUint16(2 * n, value, true);
    else view.setUint32(4 * n, value, true);
  }
  return out;
}
