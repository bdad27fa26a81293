import { CodecError } from './frame-format.ts';
import { BitReader } from './jpeg-bits.ts';
import type { JpegImage } from './jpeg-segments.ts';

/** Place in a block, row by row, of each coefficient in zigzag order. */
const zigzag = zigzagOrder();

/** basis[8 x + u] = C(u) / 2 * cos((2 x + 1) u pi / 16), so that a block is the basis on both sides of its coefficients. */
const basis = Float64Array.from({ length: 64 }, (_, n) => {
  const [x, u] = [n >> 3, n & 7];
  return (u === 0 ? Math.SQRT1_2 : 1) * 0.5 * Math.cos(((2 * x + 1) * u * Math.PI) / 16);
});

/** Samples of a baseline or extended sequential image (ITU-T T.81, annex F): blocks of 8 x 8 coefficients, row by row. */
export function decodeSequential(bytes: Uint8Array, image: JpegImage): Uint16Array {
  const { rows, columns, restart, precision } = image;
  const reader = new BitReader(bytes, image.data);
  const samples = new Uint16Array(rows * columns);
  const coefficients = new Float64Array(64);
  const block = new Float64Array(64);
  const across = Math.ceil(columns / 8);
  const blocks = across * Math.ceil(rows / 8);
  const [middle, most] = [2 ** (precision - 1), 2 ** precision - 1];
  let dc = 0;
  for (let n = 0; n < blocks; n++) {
    if (restart > 0 && n > 0 && n % restart === 0) {
      reader.restart(n / restart - 1);
      dc = 0;
    }
    dc = readBlock(reader, image, dc, coefficients);
    transform(coefficients, block);
    const [top, left] = [8 * Math.floor(n / across), 8 * (n % across)];
    for (let y = 0; y < 8 && top + y < rows; y++)
      for (let x = 0; x < 8 && left + x < columns; x++) {
        const value = Math.round(block[8 * y + x]) + middle;
        samples[(top + y) * columns + left + x] = Math.max(0, Math.min(most, value));
      }
  }
  return samples;
}

/** Reads the coefficients of a block, multiplied by their steps; gives its DC value, to which the next one is a difference. */
function readBlock(
  reader: BitReader,
  { dc, ac, steps }: JpegImage,
  before: number,
  out: Float64Array,
): number {
  const bits = reader.code(dc);
  if (bits > 15) throw new CodecError(`a difference of ${bits} bits`);
  const value = before + reader.number(bits);
  out.fill(0);
  out[0] = value * steps![0];
  for (let n = 1; n < 64; n++) {
    const code = reader.code(ac!);
    const [zeros, size] = [code >> 4, code & 15];
    if (size === 0) {
      // 15 stands for 16 zeros, else the block ends.
      if (zeros !== 15) break;
      n += 15;
      continue;
    }
    n += zeros;
    if (n > 63) throw new CodecError('more than 64 coefficients in a block');
    out[zigzag[n]] = reader.number(size) * steps![n];
  }
  return value;
}

/** The inverse cosine transform, rows after columns. */
function transform(coefficients: Float64Array, block: Float64Array): void {
  const half = new Float64Array(64);
  for (let y = 0; y < 8; y++)
    for (let u = 0; u < 8; u++) {
      let sum = 0;
      for (let v = 0; v < 8; v++) sum += basis[8 * y + v] * coefficients[8 * v + u];
      half[8 * y + u] = sum;
    }
  for (let y = 0; y < 8; y++)
    for (let x = 0; x < 8; x++) {
      let sum = 0;
      for (let u = 0; u < 8; u++) sum += basis[8 * x + u] * half[8 * y + u];
      block[8 * y + x] = sum;
    }
}

/** Diagonals of 8 x 8 places, up and down in turn. */
function zigzagOrder(): Uint8Array {
  const order: number[] = [];
  for (let sum = 0; sum < 15; sum++) {
    const diagonal = Array.from({ length: 8 }, (_, row) => [row, sum - row]).filter(
      ([, c]) => c >= 0 && c < 8,
    );
    const places = diagonal.map(([row, column]) => 8 * row + column);
    order.push(...(sum % 2 === 0 ? places.reverse() : places));
  }
  return Uint8Array.from(order);
}
