import { concatBytes, putAscii, viewOf } from '../bytes.ts';

// Elements in explicit little endian (DICOM PS3.5, 7.1.2), of data sets that are written.

/** A value by its representation: text as bytes of ASCII unless it is bytes already, numbers, or items of a sequence. */
export type DicomValue = string | Uint8Array | readonly number[] | readonly DataSet[];

/** An element: its tag (0xggggeeee), value representation and value. */
export type Element = readonly [tag: number, vr: VR, value: DicomValue];

/** The elements of a data set or of an item; they are written in the order of their tags. */
export type DataSet = readonly Element[];

export type VR =
  | 'AS'
  | 'AT'
  | 'CS'
  | 'DA'
  | 'DS'
  | 'IS'
  | 'LO'
  | 'OB'
  | 'PN'
  | 'SH'
  | 'SQ'
  | 'ST'
  | 'TM'
  | 'UI'
  | 'UL'
  | 'US';

/** The first bytes of a file: a preamble, the mark, and meta elements that say of what class it is. */
export function encodeMeta(sopClass: string, sopInstance: string, implementation: string): Uint8Array {
  const meta = encodeDataSet([
    [0x00020001, 'OB', Uint8Array.of(0, 1)],
    [0x00020002, 'UI', sopClass],
    [0x00020003, 'UI', sopInstance],
    [0x00020010, 'UI', '1.2.840.10008.1.2.1'],
    [0x00020012, 'UI', implementation],
  ]);
  const length = encodeDataSet([[0x00020000, 'UL', [meta.length]]]);
  const bytes = new Uint8Array(132 + length.length + meta.length);
  putAscii(bytes, 'DICM', 128);
  bytes.set(length, 132);
  bytes.set(meta, 132 + length.length);
  return bytes;
}

/** A data set or an item. */
export function encodeDataSet(elements: DataSet): Uint8Array {
  const parts = elements
    .toSorted(([a], [b]) => a - b)
    .map(([tag, vr, value]) => encodeElement(tag, vr, value));
  return concatBytes(parts);
}

/** The head of an element of a long representation; its value of `length` bytes, an even number, follows. */
export function longHead(tag: number, vr: 'OB' | 'SQ', length: number): Uint8Array {
  const head = new Uint8Array(12);
  const view = viewOf(head);
  view.setUint16(0, tag >>> 16, true);
  view.setUint16(2, tag & 0xffff, true);
  putAscii(head, vr, 4);
  view.setUint32(8, length, true);
  return head;
}

function encodeElement(tag: number, vr: VR, value: DicomValue): Uint8Array {
  const body = encodeValue(vr, value);
  if (vr === 'SQ' || vr === 'OB') return concatBytes([longHead(tag, vr, body.length), body]);
  if (body.length > 0xffff) throw new RangeError(`unreachable: a value of ${body.length} bytes of ${vr}`);
  const head = new Uint8Array(8);
  const view = viewOf(head);
  view.setUint16(0, tag >>> 16, true);
  view.setUint16(2, tag & 0xffff, true);
  putAscii(head, vr, 4);
  view.setUint16(6, body.length, true);
  return concatBytes([head, body]);
}

function encodeValue(vr: VR, value: DicomValue): Uint8Array {
  if (typeof value === 'string') {
    const bytes = new Uint8Array(value.length);
    putAscii(bytes, value, 0);
    return padded(bytes, vr);
  }
  if (value instanceof Uint8Array) return padded(value, vr);
  if (vr === 'SQ') return concatBytes((value as readonly DataSet[]).map(encodeItem));
  const numbers = value as readonly number[];
  const size = vr === 'US' ? 2 : 4;
  const bytes = new Uint8Array(size * numbers.length);
  const view = viewOf(bytes);
  for (const [n, number] of numbers.entries()) {
    if (vr === 'US') view.setUint16(2 * n, number, true);
    else if (vr === 'UL') view.setUint32(4 * n, number, true);
    else {
      // A tag is two numbers of 16 bits.
      view.setUint16(4 * n, number >>> 16, true);
      view.setUint16(4 * n + 2, number & 0xffff, true);
    }
  }
  return bytes;
}

function encodeItem(elements: DataSet): Uint8Array {
  const body = encodeDataSet(elements);
  const head = new Uint8Array(8);
  const view = viewOf(head);
  view.setUint16(0, 0xfffe, true);
  view.setUint16(2, 0xe000, true);
  view.setUint32(4, body.length, true);
  return concatBytes([head, body]);
}

/** Values have an even length: texts get a space, identifiers and bytes a zero. */
function padded(bytes: Uint8Array, vr: VR): Uint8Array {
  if (bytes.length % 2 === 0) return bytes;
  const even = new Uint8Array(bytes.length + 1);
  even.set(bytes);
  even[bytes.length] = vr === 'UI' || vr === 'OB' ? 0 : 32;
  return even;
}

/** Numbers as a decimal string (DS): each of at most 16 characters. */
export function decimals(values: readonly number[]): string {
  return values
    .map((value) => {
      const text = `${value + 0}`;
      if (text.length <= 16) return text;
      for (let digits = 15; digits > 0; digits--) {
        const short = `${Number(value.toPrecision(digits))}`;
        if (short.length <= 16) return short;
      }
      throw new RangeError(`unreachable: ${value} as 16 characters`);
    })
    .join('\\');
}
