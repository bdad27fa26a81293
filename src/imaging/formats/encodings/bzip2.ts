import { concatBytes } from '../bytes.ts';
import type { Unpacker } from '../scan-files.ts';
import { BitReader, damage } from './bit-reader.ts';
import { decodeBlock } from './bzip2-block.ts';

// bzip2 (the format of Julian Seward's bzip2 1.0): "BZh" and the size of a block, blocks with a check sum each, and one over all of
// them at the end; several such streams may stand behind each other.

const BLOCK = 0x314159265359;
const END = 0x177245385090;

/** No block takes more packed bytes: 900,000 symbols of 20 bits, and its tables. */
const packedBlock = 2_500_000;

/** No stream grows by more than this factor: a block of equal bytes has 45,899,235 of them in 45. */
export const largestBzip2Ratio = 1_020_000;

/** Unpacks what `read` gives, a block at a time; pieces have up to `pieceBytes` bytes. Holds a block: 9 MB. Throws for damage. */
export function unpackBzip2(pieceBytes: number, read: () => Promise<Uint8Array | undefined>): Unpacker {
  let closed = false;
  let ended = false;
  let rest: Uint8Array = new Uint8Array(0);
  let pieces: Iterator<Uint8Array, number> | undefined;
  let expected = 0;
  let combined = 0;
  let blockBytes = 0;

  /** Packed bytes for a block at least, or all that are left. */
  const fill = async (): Promise<void> => {
    const parts = [rest];
    let length = rest.length;
    while (!ended && length < packedBlock) {
      const piece = await read();
      if (piece === undefined) ended = true;
      else {
        parts.push(piece.slice());
        length += piece.length;
      }
    }
    rest = concatBytes(parts);
  };

  const bits = new BitReader();
  const load = async (): Promise<void> => {
    rest = bits.left();
    await fill();
    bits.open(rest);
  };

  const begin = (): void => {
    const magic = String.fromCharCode(bits.read(8), bits.read(8), bits.read(8));
    const size = bits.read(8) - 48;
    if (magic !== 'BZh' || size < 1 || size > 9) throw damage('no bzip2 stream');
    blockBytes = size * 100_000;
    combined = 0;
  };

  /** The pieces of the next block; undefined at the end of all streams. */
  const nextBlock = async (): Promise<Iterator<Uint8Array, number> | undefined> => {
    await load();
    if (blockBytes === 0) begin();
    for (;;) {
      const magic = bits.read(24) * 2 ** 24 + bits.read(24);
      if (magic === BLOCK) {
        expected = bits.read(16) * 2 ** 16 + bits.read(16);
        return decodeBlock(bits, blockBytes, pieceBytes);
      }
      if (magic !== END) throw damage('neither a block nor an end');
      const sum = bits.read(16) * 2 ** 16 + bits.read(16);
      if (sum !== combined) throw damage('another check sum of the stream');
      bits.align();
      if (bits.isEmpty()) return undefined;
      begin();
    }
  };

  return {
    async next() {
      while (!closed) {
        pieces ??= await nextBlock();
        if (pieces === undefined || closed) return undefined;
        const { done, value } = pieces.next();
        if (!done) return value;
        if (value !== expected) throw damage('another check sum of a block');
        combined = (((combined << 1) | (combined >>> 31)) ^ expected) >>> 0;
        pieces = undefined;
      }
      return undefined;
    },
    close() {
      closed = true;
      rest = new Uint8Array(0);
    },
  };
}
