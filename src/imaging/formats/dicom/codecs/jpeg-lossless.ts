import { CodecError } from './frame-format.ts';
import { BitReader } from './jpeg-bits.ts';
import type { JpegImage } from './jpeg-segments.ts';

/**
 * Samples of a lossless image (ITU-T T.81, annex H): each is a difference to what its neighbours left, above and left above (a, b, c)
 * predict. The first row, also of each restart, goes by the left one, the first column by the one above.
 */
export function decodeLossless(bytes: Uint8Array, image: JpegImage): Uint16Array {
  const { rows, columns, precision, pointBits, predictor, restart, dc } = image;
  if (restart % columns !== 0) throw new CodecError('restarts within a row of a lossless image');
  const reader = new BitReader(bytes, image.data);
  const samples = new Uint16Array(rows * columns);
  const middle = 1 << (precision - pointBits - 1);
  const restartRows = restart / columns;
  let restarts = 0;
  for (let row = 0, at = 0; row < rows; row++) {
    const fresh = row === 0 || (restartRows > 0 && row % restartRows === 0);
    if (fresh && row > 0) reader.restart(restarts++);
    for (let column = 0; column < columns; column++, at++) {
      const left = column === 0 ? 0 : samples[at - 1];
      const above = fresh ? 0 : samples[at - columns];
      let expected: number;
      if (fresh) expected = column === 0 ? middle : left;
      else if (column === 0) expected = above;
      else expected = predict(predictor, left, above, samples[at - columns - 1]);
      const bits = reader.code(dc);
      if (bits > 16) throw new CodecError(`a difference of ${bits} bits`);
      // 16 stands for 32768 without bits that say more; sums are taken modulo 65536.
      samples[at] = expected + (bits === 16 ? 32768 : reader.number(bits));
    }
  }
  const mask = 2 ** (precision - pointBits) - 1;
  for (let n = 0; n < samples.length; n++) samples[n] = (samples[n] & mask) << pointBits;
  return samples;
}

function predict(predictor: number, a: number, b: number, c: number): number {
  switch (predictor) {
    case 1:
      return a;
    case 2:
      return b;
    case 3:
      return c;
    case 4:
      return a + b - c;
    case 5:
      return a + ((b - c) >> 1);
    case 6:
      return b + ((a - c) >> 1);
    default:
      return (a + b) >> 1;
  }
}
