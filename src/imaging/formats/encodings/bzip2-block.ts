import { type BitReader, damage } from './bit-reader.ts';

// A block of bzip2, backwards: Huffman codes, runs and moves to the front, the Burrows-Wheeler transform, runs of four.

/** Longest code, and symbols that are told by one table. */
const longestCode = 20;
const groupSymbols = 50;

/**
 * The bytes of the block that `bits` stands before, behind its check sum, in pieces of up to `pieceBytes`; at the end their check sum.
 * The packed bytes are read with the first piece.
 */
export function* decodeBlock(
  bits: BitReader,
  blockBytes: number,
  pieceBytes: number,
): Generator<Uint8Array, number> {
  if (bits.read(1) === 1) throw damage('a randomised block, of bzip2 before 0.9.5');
  const origin = bits.read(24);
  const used = usedBytes(bits);
  const { next, length } = transformed(bits, used, blockBytes);
  if (origin >= length) throw damage('a block that begins beyond its end');
  return yield* unrolled(next, length, origin, pieceBytes);
}

/** The bytes that occur, in order. */
function usedBytes(bits: BitReader): number[] {
  const groups = bits.read(16);
  const used: number[] = [];
  for (let group = 0; group < 16; group++) {
    if (((groups >>> (15 - group)) & 1) === 0) continue;
    const map = bits.read(16);
    for (let n = 0; n < 16; n++) if ((map >>> (15 - n)) & 1) used.push(16 * group + n);
  }
  if (used.length === 0) throw damage('a block without bytes');
  return used;
}

/** Codes of one table: of each length the largest code, what to take off to get a place, and the symbols by place. */
interface Codes {
  readonly limit: Int32Array;
  readonly base: Int32Array;
  readonly symbols: Uint16Array;
  readonly shortest: number;
}

function readCodes(bits: BitReader, count: number): Codes {
  const lengths = new Uint8Array(count);
  let length = bits.read(5);
  for (let symbol = 0; symbol < count; symbol++) {
    for (;;) {
      if (length < 1 || length > longestCode) throw damage('a code of no length');
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  const limit = new Int32Array(longestCode + 2).fill(-1);
  const base = new Int32Array(longestCode + 2);
  const symbols = new Uint16Array(count);
  let place = 0;
  let code = 0;
  let shortest = 0;
  for (let n = 1; n <= longestCode; n++) {
    base[n] = place - code;
    for (let symbol = 0; symbol < count; symbol++)
      if (lengths[symbol] === n) {
        symbols[place++] = symbol;
        code++;
        shortest ||= n;
      }
    limit[n] = code - 1;
    code *= 2;
  }
  return { limit, base, symbols, shortest };
}

/** The bytes of a block as the transform left them, and for each the place of the next one, in bits 8 and up. */
function transformed(
  bits: BitReader,
  used: readonly number[],
  blockBytes: number,
): { readonly next: Uint32Array; readonly length: number } {
  const tables = bits.read(3);
  if (tables < 2 || tables > 6) throw damage('a block of no tables');
  const selectors = readSelectors(bits, tables);
  const count = used.length + 2;
  const codes = Array.from({ length: tables }, () => readCodes(bits, count));
  const front = Uint8Array.from(used);
  const next = new Uint32Array(blockBytes);
  const counts = new Uint32Array(256);
  let length = 0;
  let group = 0;
  let left = 0;
  let table = codes[0];
  /** Length of a run so far, and what the next of its digits stands for. */
  let run = 0;
  let digit = 1;
  for (;;) {
    if (left === 0) {
      if (group >= selectors.length) throw damage('a block without end');
      table = codes[selectors[group++]];
      left = groupSymbols;
    }
    left--;
    const symbol = readSymbol(bits, table);
    if (symbol <= 1) {
      if (digit > blockBytes) throw damage('a run beyond its block');
      run += digit << symbol;
      digit *= 2;
      continue;
    }
    if (run > 0) {
      if (length + run > blockBytes) throw damage('a block beyond its size');
      next.fill(front[0], length, length + run);
      counts[front[0]] += run;
      length += run;
      [run, digit] = [0, 1];
    }
    if (symbol === count - 1) break;
    if (length >= blockBytes) throw damage('a block beyond its size');
    const byte = front[symbol - 1];
    front.copyWithin(1, 0, symbol - 1);
    front[0] = byte;
    next[length++] = byte;
    counts[byte]++;
  }
  // The n-th of a byte in sorted order follows the n-th of it in the last column.
  let sum = 0;
  for (let byte = 0; byte < 256; byte++) [counts[byte], sum] = [sum, sum + counts[byte]];
  for (let n = 0; n < length; n++) next[counts[next[n] & 0xff]++] |= n << 8;
  return { next, length };
}

function readSelectors(bits: BitReader, tables: number): Uint8Array {
  const selectors = new Uint8Array(bits.read(15));
  if (selectors.length === 0) throw damage('a block of no codes');
  const front = Array.from({ length: tables }, (_, n) => n);
  for (let n = 0; n < selectors.length; n++) {
    let place = 0;
    while (bits.read(1) === 1) if (++place >= tables) throw damage('a table that is not there');
    front.unshift(...front.splice(place, 1));
    selectors[n] = front[0];
  }
  return selectors;
}

function readSymbol(bits: BitReader, { limit, base, symbols, shortest }: Codes): number {
  let length = shortest;
  let code = bits.read(length);
  while (code > limit[length]) {
    if (++length > longestCode) throw damage('a code that is none');
    code = code * 2 + bits.read(1);
  }
  const place = code + base[length];
  if (place < 0 || place >= symbols.length) throw damage('a code that is none');
  return symbols[place];
}

/** Follows the transform from its origin, and makes runs of four equal bytes and a count as long as they were. */
function* unrolled(
  next: Uint32Array,
  length: number,
  origin: number,
  pieceBytes: number,
): Generator<Uint8Array, number> {
  let sum = 0xffffffff;
  let out = new Uint8Array(pieceBytes);
  let filled = 0;
  let place = next[origin] >>> 8;
  let last = -1;
  let equal = 0;
  for (let n = 0; n < length; n++) {
    const entry = next[place];
    place = entry >>> 8;
    const byte = entry & 0xff;
    let times = 1;
    if (equal === 4) {
      times = byte;
      equal = 0;
    } else {
      equal = byte === last ? equal + 1 : 1;
      last = byte;
    }
    for (; times > 0; times--) {
      sum = ((sum << 8) ^ sums[(sum >>> 24) ^ last]) >>> 0;
      out[filled++] = last;
      if (filled < pieceBytes) continue;
      yield out;
      out = new Uint8Array(pieceBytes);
      filled = 0;
    }
    if (equal === 0) last = -1;
  }
  if (filled > 0) yield out.subarray(0, filled);
  return ~sum >>> 0;
}

/** CRC-32 of bzip2, the highest bit first. */
const sums = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 24;
  for (let bit = 0; bit < 8; bit++) sum = sum & 0x80000000 ? (sum << 1) ^ 0x04c11db7 : sum << 1;
  return sum >>> 0;
});
