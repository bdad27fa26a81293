import { viewOf } from '../../bytes.ts';
import { CodecError } from './frame-format.ts';
import { HuffmanTable } from './jpeg-bits.ts';

// The segments of a JPEG image of one component (ITU-T T.81, annex B).

/** An image of one component, as its segments before the samples say. */
export interface JpegImage {
  readonly process: 'sequential' | 'lossless';
  /** Bits of a sample. */
  readonly precision: number;
  readonly rows: number;
  readonly columns: number;
  /** Table of DC differences, which lossless images use for theirs, and of AC coefficients. */
  readonly dc: HuffmanTable;
  readonly ac: HuffmanTable | undefined;
  /** 64 steps in zigzag order; absent where there are none, as in lossless images. */
  readonly steps: Uint16Array | undefined;
  /** Units (blocks or samples) between two restarts; 0 for none. */
  readonly restart: number;
  /** Predictor of a lossless image, 1 to 7. */
  readonly predictor: number;
  /** Low bits that were left out before prediction (point transform). */
  readonly pointBits: number;
  /** Where the samples begin. */
  readonly data: number;
}

interface Frame {
  readonly kind: number;
  readonly precision: number;
  readonly rows: number;
  readonly columns: number;
  readonly component: number;
  readonly table: number;
}

const baseline = 0xc0;
const extended = 0xc1;
const lossless = 0xc3;

/** Names of processes that are not read, by marker. */
const otherProcesses: ReadonlyMap<number, string> = new Map([
  [0xc2, 'progressive'],
  [0xc5, 'differential'],
  [0xc6, 'differential progressive'],
  [0xc7, 'differential lossless'],
  [0xc9, 'arithmetic'],
  [0xca, 'progressive arithmetic'],
  [0xcb, 'lossless arithmetic'],
]);

/** Reads all segments up to the samples. Throws CodecError where they are no image of one component that can be decoded. */
export function readSegments(bytes: Uint8Array): JpegImage {
  const view = viewOf(bytes);
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) throw new CodecError('no start of a JPEG image');
  const tables: { readonly dc: HuffmanTable[]; readonly ac: HuffmanTable[] } = { dc: [], ac: [] };
  const steps: Uint16Array[] = [];
  let restart = 0;
  let frame: Frame | undefined;
  let at = 2;
  for (;;) {
    // Any number of 0xff may stand before a marker.
    while (at + 1 < bytes.length && bytes[at] === 0xff && bytes[at + 1] === 0xff) at++;
    if (at + 4 > bytes.length) throw new CodecError('an end within the header of the JPEG image');
    if (bytes[at] !== 0xff) throw new CodecError(`no marker at byte ${at} of the JPEG image`);
    const marker = bytes[at + 1];
    const end = at + 2 + view.getUint16(at + 2);
    const body = bytes.subarray(at + 4, end);
    if (end < at + 4 || end > bytes.length)
      throw new CodecError(`a segment at byte ${at} beyond the end of the JPEG image`);
    const other = otherProcesses.get(marker);
    if (other !== undefined) throw new CodecError(`a ${other} JPEG image, of a process that DICOM has not`);
    if (marker === 0xc4) readHuffmanTables(body, tables);
    else if (marker === 0xdb) readSteps(body, steps);
    else if (marker === 0xdd && body.length >= 2) restart = viewOf(body).getUint16(0);
    else if (marker === baseline || marker === extended || marker === lossless) {
      if (frame !== undefined) throw new CodecError('two frame headers in a JPEG image');
      frame = readFrame(marker, body);
    } else if (marker === 0xda) {
      if (frame === undefined) throw new CodecError('samples before the frame header of the JPEG image');
      return imageOf(frame, body, tables, steps, restart, end);
    } else if (marker === 0xd9 || marker === 0xd8) throw new CodecError('a JPEG image without samples');
    at = end;
  }
}

function readFrame(kind: number, body: Uint8Array): Frame {
  if (body.length < 9) throw new CodecError('a short frame header');
  const view = viewOf(body);
  const components = body[5];
  if (components !== 1) throw new CodecError(`${components} components, where a slice has one`);
  const precision = body[0];
  const fits = kind === lossless ? precision >= 2 && precision <= 16 : precision === 8 || precision === 12;
  if (!fits) throw new CodecError(`samples of ${precision} bits`);
  const [rows, columns] = [view.getUint16(1), view.getUint16(3)];
  return { kind, precision, rows, columns, component: body[6], table: body[8] };
}

function imageOf(
  frame: Frame,
  body: Uint8Array,
  { dc, ac }: { readonly dc: readonly HuffmanTable[]; readonly ac: readonly HuffmanTable[] },
  steps: readonly Uint16Array[],
  restart: number,
  data: number,
): JpegImage {
  if (body.length < 6 || body[0] !== 1 || body[1] !== frame.component)
    throw new CodecError('a scan of another component than that of the frame');
  const table = dc[body[2] >> 4];
  if (table === undefined) throw new CodecError('no Huffman table of the samples');
  const isLossless = frame.kind === lossless;
  const { precision, rows, columns } = frame;
  const pointBits = body[5] & 15;
  if (isLossless && (body[3] < 1 || body[3] > 7 || pointBits >= precision))
    throw new CodecError(`predictor ${body[3]} with ${pointBits} bits left out`);
  const [acTable, quantization] = [ac[body[2] & 15], steps[frame.table]];
  if (!isLossless && (acTable === undefined || quantization === undefined))
    throw new CodecError('no Huffman or quantization table of the coefficients');
  return {
    process: isLossless ? 'lossless' : 'sequential',
    ...{ precision, rows, columns, dc: table, ac: acTable, steps: quantization, restart },
    ...{ predictor: body[3], pointBits, data },
  };
}

function readHuffmanTables(
  body: Uint8Array,
  tables: { readonly dc: HuffmanTable[]; readonly ac: HuffmanTable[] },
): void {
  let at = 0;
  while (at < body.length) {
    const [kind, place] = [body[at] >> 4, body[at] & 15];
    const counts = body.subarray(at + 1, at + 17);
    const codes = counts.reduce((sum, count) => sum + count, 0);
    const values = body.subarray(at + 17, at + 17 + codes);
    if (kind > 1 || place > 3 || counts.length < 16 || values.length < codes)
      throw new CodecError('a damaged Huffman table');
    (kind === 0 ? tables.dc : tables.ac)[place] = new HuffmanTable(counts, values);
    at += 17 + codes;
  }
}

function readSteps(body: Uint8Array, steps: Uint16Array[]): void {
  const view = viewOf(body);
  let at = 0;
  while (at < body.length) {
    const [wide, place] = [body[at] >> 4, body[at] & 15];
    const bytes = 64 * (wide + 1);
    if (wide > 1 || place > 3 || at + 1 + bytes > body.length)
      throw new CodecError('a damaged quantization table');
    const first = at + 1;
    steps[place] = Uint16Array.from({ length: 64 }, (_, n) =>
      wide === 0 ? body[first + n] : view.getUint16(first + 2 * n),
    );
    at = first + bytes;
  }
}
