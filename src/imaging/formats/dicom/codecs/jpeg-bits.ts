import { CodecError } from './frame-format.ts';

// Bits and codes of the samples of a JPEG image (ITU-T T.81, annexes C and F).

const lookBits = 9;

/** Values by codes of 1 to 16 bits: `counts[n]` codes have n + 1 bits, and `values` are theirs in order. */
export class HuffmanTable {
  /** By the next lookBits bits: bits of the code in the high byte, its value in the low one; 0 for longer codes. */
  readonly look = new Uint16Array(1 << lookBits);
  /** By bits of a code: the largest one, or -1, and what to add to a code for the place of its value. */
  readonly largest = new Int32Array(17).fill(-1);
  readonly offset = new Int32Array(17);
  readonly values: Uint8Array;

  constructor(counts: Uint8Array, values: Uint8Array) {
    this.values = Uint8Array.from(values);
    let [code, place] = [0, 0];
    for (let bits = 1; bits <= 16; bits++) {
      const count = counts[bits - 1];
      if (code + count > 1 << bits) throw new CodecError('a Huffman table with more codes than there are');
      this.offset[bits] = place - code;
      if (count > 0) this.largest[bits] = code + count - 1;
      for (let n = 0; n < count; n++, code++, place++) {
        if (bits > lookBits) continue;
        const from = code << (lookBits - bits);
        this.look.fill((bits << 8) | values[place], from, from + (1 << (lookBits - bits)));
      }
      code <<= 1;
    }
  }
}

/** Reads the samples of an image bit by bit, up to the next marker. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  /** The next bits, the first of them highest; none behind a marker or the end. */
  #bits = 0;
  #count = 0;
  /** Bits of padding that stand in for those behind a marker or the end. */
  #padding = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** The value of the next code. */
  code(table: HuffmanTable): number {
    this.#fill();
    const look = table.look[(this.#bits >>> (this.#count - lookBits)) & ((1 << lookBits) - 1)];
    if (look !== 0) {
      this.#drop(look >> 8);
      return look & 255;
    }
    for (let bits = lookBits + 1; bits <= 16; bits++) {
      const code = (this.#bits >>> (this.#count - bits)) & ((1 << bits) - 1);
      if (code > table.largest[bits]) continue;
      this.#drop(bits);
      return table.values[code + table.offset[bits]];
    }
    throw new CodecError('a code that no Huffman table has');
  }

  /** A number of `bits` bits, 0 to 16, where those with a highest bit of 0 are negative (T.81, F.2.2.1: EXTEND). */
  number(bits: number): number {
    if (bits === 0) return 0;
    this.#fill();
    const value = (this.#bits >>> (this.#count - bits)) & ((1 << bits) - 1);
    this.#drop(bits);
    return value < 1 << (bits - 1) ? value - (1 << bits) + 1 : value;
  }

  /** Passes restart marker number n (of 8) and begins behind it. */
  restart(n: number): void {
    const { length } = this.#bytes;
    let at = this.#at;
    while (at + 1 < length && this.#bytes[at] === 0xff && this.#bytes[at + 1] === 0xff) at++;
    if (at + 1 >= length || this.#bytes[at] !== 0xff || this.#bytes[at + 1] !== 0xd0 + (n & 7))
      throw new CodecError(`no restart marker number ${n} where one is due`);
    this.#at = at + 2;
    [this.#bits, this.#count, this.#padding] = [0, 0, 0];
  }

  /** Makes sure of 16 bits at least. */
  #fill(): void {
    while (this.#count <= 16) {
      const byte = this.#bytes[this.#at];
      const isMarker = byte === 0xff && this.#bytes[this.#at + 1] !== 0;
      if (byte === undefined || isMarker) {
        this.#bits <<= 8;
        this.#padding += 8;
      } else {
        this.#bits = (this.#bits << 8) | byte;
        this.#at += byte === 0xff ? 2 : 1;
      }
      this.#count += 8;
    }
  }

  #drop(bits: number): void {
    this.#count -= bits;
    if (this.#count < this.#padding) throw new CodecError('an end of the JPEG image before its last sample');
  }
}
