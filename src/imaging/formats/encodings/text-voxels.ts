import { type ElementType, elementBytes } from '../../volume/nifti-types.ts';
import { latin1 } from '../bytes.ts';
import type { Unpacker } from '../scan-files.ts';
import { damage } from './bit-reader.ts';

// Voxels that are written as text: two hexadecimal digits a byte, or a number for each voxel.

/** What ends a number, or stands between digits. */
const isSpace = (code: number): boolean => code <= 32 || code === 44;

type Read = () => Promise<Uint8Array | undefined>;

/** Pieces of what `make` gives of each piece that is read, and at the end of none. */
function unpacked(read: Read, make: (piece: Uint8Array | undefined) => Uint8Array): Unpacker {
  let ended = false;
  return {
    async next() {
      while (!ended) {
        const piece = await read();
        ended ||= piece === undefined;
        const made = make(piece);
        if (made.length > 0) return made;
      }
      return undefined;
    },
    close() {
      ended = true;
    },
  };
}

/** Bytes of hexadecimal digits; white space counts for nothing. Throws for anything else. */
export function unpackHex(read: Read): Unpacker {
  let high = -1;
  return unpacked(read, (piece) => {
    if (piece === undefined && high >= 0) throw damage('half a byte at the end of hexadecimal digits');
    if (piece === undefined) return new Uint8Array(0);
    const out = new Uint8Array(Math.ceil(piece.length / 2));
    let filled = 0;
    for (const code of piece) {
      if (isSpace(code)) continue;
      const digit = hexDigit(code);
      if (high < 0) high = digit;
      else {
        out[filled++] = 16 * high + digit;
        high = -1;
      }
    }
    return out.subarray(0, filled);
  });
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  if (letter >= 97 && letter <= 102) return letter - 87;
  throw damage(`"${latin1(Uint8Array.of(code))}" among hexadecimal digits`);
}

/** A number that is longer is none. */
const longestNumber = 64;

/** How a value is written into bytes, the lowest first, and the values that it can have. */
interface Writer {
  readonly write: (view: DataView, at: number, text: string) => void;
  readonly least: number;
  readonly most: number;
}

const whole = (
  write: (view: DataView, at: number, value: number) => void,
  bits: number,
  signed: boolean,
): Writer => ({
  write: (view, at, text) => write(view, at, Number(text)),
  least: signed ? -(2 ** (bits - 1)) : 0,
  most: 2 ** (signed ? bits - 1 : bits) - 1,
});

const anyNumber = { least: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY };

const writers: Readonly<Partial<Record<ElementType, Writer>>> = {
  int8: whole((view, at, value) => view.setInt8(at, value), 8, true),
  uint8: whole((view, at, value) => view.setUint8(at, value), 8, false),
  int16: whole((view, at, value) => view.setInt16(at, value, true), 16, true),
  uint16: whole((view, at, value) => view.setUint16(at, value, true), 16, false),
  int32: whole((view, at, value) => view.setInt32(at, value, true), 32, true),
  uint32: whole((view, at, value) => view.setUint32(at, value, true), 32, false),
  int64: {
    ...whole(() => undefined, 64, true),
    write: (view, at, text) => view.setBigInt64(at, BigInt(text), true),
  },
  uint64: {
    ...whole(() => undefined, 64, false),
    write: (view, at, text) => view.setBigUint64(at, BigInt(text), true),
  },
  float32: { ...anyNumber, write: (view, at, text) => view.setFloat32(at, numberOf(text), true) },
  float64: { ...anyNumber, write: (view, at, text) => view.setFloat64(at, numberOf(text), true) },
};

/** As C writes numbers, which calls those that are none and those without end by names. */
function numberOf(text: string): number {
  const named = /^([+-]?)(nan|inf|infinity)$/i.exec(text);
  if (named === null) return Number(text);
  if (named[2].toLowerCase() === 'nan') return Number.NaN;
  return named[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** Bytes of numbers apart by white space, as elements of a type with the lowest byte first. Throws for what is no such number. */
export function unpackNumbers(type: ElementType, read: Read): Unpacker {
  const writer = writers[type];
  if (writer === undefined) throw damage(`numbers of type ${type}`);
  const isFloat = type.startsWith('float');
  const bytes = elementBytes(type);
  let begun = '';
  return unpacked(read, (piece) => {
    const text = begun + (piece === undefined ? ' ' : latin1(piece));
    const words = text.split(/[\s,]+/);
    // The last one may go on in the next piece; after white space it is empty.
    begun = words.pop()!;
    if (begun.length > longestNumber) throw damage(`"${begun.slice(0, 20)}..." among numbers`);
    const found = words.filter((word) => word !== '');
    const view = new DataView(new ArrayBuffer(found.length * bytes));
    for (const [n, word] of found.entries()) {
      const value = isFloat ? numberOf(word) : Number(word);
      const plain = isFloat ? !Number.isNaN(value) || /^[+-]?nan$/i.test(word) : /^[+-]?\d+$/.test(word);
      if (!plain || word.length > longestNumber || value < writer.least || value > writer.most)
        throw damage(`"${word.slice(0, 20)}" among numbers of ${type}`);
      writer.write(view, n * bytes, word.replace(/^\+/, ''));
    }
    return new Uint8Array(view.buffer);
  });
}
