import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';

/** What a test slice shall say; everything has a sound default. A value of null leaves the attribute out. */
export interface SliceFixture {
  series?: string;
  modality?: string;
  imageType?: string;
  instance?: number;
  rows?: number;
  columns?: number;
  /** LPS mm. */
  position?: readonly number[] | null;
  orientation?: readonly number[] | null;
  /** Between rows, between columns. */
  spacing?: readonly number[] | null;
  thickness?: number;
  frames?: number;
  samples?: number;
  bits?: 8 | 16 | 32;
  bitsStored?: number;
  highBit?: number;
  signed?: boolean;
  slope?: number | null;
  intercept?: number | null;
  /** Stored values, row by row. */
  values?: readonly number[] | null;
  syntax?: string;
  /** Compressed pixels in fragments, in place of `values`, behind a table of offsets, which may be empty. */
  packed?: { readonly fragments: readonly Buffer[]; readonly table?: readonly number[] };
  /** Leaves out preamble and meta header. */
  bare?: boolean;
  /** Elements before the pixels. */
  more?: readonly (readonly [group: number, number: number, vr: string, value: Buffer])[];
  /** Media Storage SOP Class. */
  storageClass?: string;
  sopClass?: string;
}

export const IMPLICIT = '1.2.840.10008.1.2';
export const BIG = '1.2.840.10008.1.2.2';
export const DEFLATED = '1.2.840.10008.1.2.1.99';
export const EXPLICIT = '1.2.840.10008.1.2.1';

export interface Style {
  readonly implicit: boolean;
  readonly big: boolean;
}

/** How elements are stored in a transfer syntax. */
export const styleOf = (syntax: string): Style => ({ implicit: syntax === IMPLICIT, big: syntax === BIG });

/** One element; values of VR OB and OW have a length of four bytes. */
export function element(
  group: number,
  number: number,
  vr: string,
  value: Buffer,
  { implicit, big }: Style,
): Buffer {
  const pad = value.length % 2 === 1 ? Buffer.from([vr === 'UI' ? 0 : 32]) : Buffer.alloc(0);
  const body = Buffer.concat([value, pad]);
  const long = vr === 'OB' || vr === 'OW' || vr === 'SQ';
  const head = Buffer.alloc(implicit || !long ? 8 : 12);
  const u16 = (value: number, at: number) =>
    big ? head.writeUInt16BE(value, at) : head.writeUInt16LE(value, at);
  const u32 = (value: number, at: number) =>
    big ? head.writeUInt32BE(value, at) : head.writeUInt32LE(value, at);
  u16(group, 0);
  u16(number, 2);
  if (implicit) u32(body.length, 4);
  else {
    head.write(vr, 4, 'latin1');
    if (long) u32(body.length, 8);
    else u16(body.length, 6);
  }
  return Buffer.concat([head, body]);
}

/** The bytes of a DICOM file with one slice. */
export function dicomBytes(fixture: SliceFixture = {}): Buffer {
  const { syntax = EXPLICIT, rows = 2, columns = 3, bits = 16, bare = false, packed } = fixture;
  const { signed = true, values = Array.from({ length: rows * columns }, (_, n) => n) } = fixture;
  const style = styleOf(syntax);
  const parts: Buffer[] = [];
  const text = (group: number, number: number, vr: string, value: string) =>
    parts.push(element(group, number, vr, Buffer.from(value, 'latin1'), style));
  const list = (group: number, number: number, value: readonly number[] | null) => {
    if (value !== null) text(group, number, 'DS', value.join('\\'));
  };
  const u16 = (group: number, number: number, value: number) => {
    const bytes = Buffer.alloc(2);
    if (style.big) bytes.writeUInt16BE(value);
    else bytes.writeUInt16LE(value);
    parts.push(element(group, number, 'US', bytes, style));
  };
  text(0x8, 0x8, 'CS', fixture.imageType ?? 'ORIGINAL\\PRIMARY\\AXIAL');
  if (fixture.sopClass !== undefined) text(0x8, 0x16, 'UI', fixture.sopClass);
  text(0x8, 0x60, 'CS', fixture.modality ?? 'CT');
  list(0x18, 0x50, [fixture.thickness ?? 5]);
  text(0x20, 0xe, 'UI', fixture.series ?? '1.2.3');
  text(0x20, 0x13, 'IS', String(fixture.instance ?? 1));
  list(0x20, 0x32, fixture.position === undefined ? [0, 0, 0] : fixture.position);
  list(0x20, 0x37, fixture.orientation === undefined ? [1, 0, 0, 0, 1, 0] : fixture.orientation);
  u16(0x28, 0x2, fixture.samples ?? 1);
  if (fixture.frames !== undefined) text(0x28, 0x8, 'IS', String(fixture.frames));
  u16(0x28, 0x10, rows);
  u16(0x28, 0x11, columns);
  list(0x28, 0x30, fixture.spacing === undefined ? [2, 1] : fixture.spacing);
  u16(0x28, 0x100, bits);
  u16(0x28, 0x101, fixture.bitsStored ?? bits);
  u16(0x28, 0x102, fixture.highBit ?? (fixture.bitsStored ?? bits) - 1);
  u16(0x28, 0x103, signed ? 1 : 0);
  if (fixture.intercept !== undefined && fixture.intercept !== null) list(0x28, 0x1052, [fixture.intercept]);
  if (fixture.slope !== undefined && fixture.slope !== null) list(0x28, 0x1053, [fixture.slope]);
  for (const [group, number, vr, value] of fixture.more ?? [])
    parts.push(element(group, number, vr, value, style));
  if (packed !== undefined) parts.push(itemsOf(packed.fragments, packed.table));
  else if (values !== null) {
    const pixels = pixelBytes(values, bits, signed, style.big);
    parts.push(element(0x7fe0, 0x10, bits === 8 ? 'OB' : 'OW', pixels, style));
  }
  const data = Buffer.concat(parts);
  if (bare) return data;
  const meta: Style = { implicit: false, big: false };
  const uid = (number: number, value: string) =>
    element(0x2, number, 'UI', Buffer.from(value, 'latin1'), meta);
  const { storageClass } = fixture;
  const syntaxElement = Buffer.concat([
    ...(storageClass === undefined ? [] : [uid(0x2, storageClass)]),
    uid(0x10, syntax),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(syntaxElement.length);
  const start = Buffer.alloc(132);
  start.write('DICM', 128, 'latin1');
  const body = syntax === DEFLATED ? deflateRawSync(data) : data;
  return Buffer.concat([start, element(0x2, 0, 'UL', length, meta), syntaxElement, body]);
}

function pixelBytes(values: readonly number[], bits: 8 | 16 | 32, signed: boolean, big: boolean): Buffer {
  const bytes = bits / 8;
  const out = Buffer.alloc(values.length * bytes);
  values.forEach((value, n) => {
    const at = n * bytes;
    if (signed) big ? out.writeIntBE(value, at, bytes) : out.writeIntLE(value, at, bytes);
    else big ? out.writeUIntBE(value, at, bytes) : out.writeUIntLE(value, at, bytes);
  });
  return out;
}

/** Pixel Data of undefined length: a table of offsets, fragments, the end. */
function itemsOf(fragments: readonly Buffer[], table: readonly number[] = []): Buffer {
  const item = (number: number, body: Buffer) => {
    const head = Buffer.alloc(8);
    head.writeUInt16LE(0xfffe, 0);
    head.writeUInt16LE(number, 2);
    head.writeUInt32LE(body.length, 4);
    return Buffer.concat([head, body]);
  };
  const head = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]);
  return Buffer.concat([
    head,
    item(0xe000, Buffer.from(Uint32Array.from(table).buffer)),
    ...fragments.map((fragment) => item(0xe000, fragment)),
    item(0xe0dd, Buffer.alloc(0)),
  ]);
}

/** Writes slices as NAME of a folder, which is made. */
export function writeSlices(dir: string, slices: Readonly<Record<string, SliceFixture | Buffer>>): string {
  mkdirSync(dir, { recursive: true });
  for (const [name, slice] of Object.entries(slices)) {
    writeFileSync(path.join(dir, name), Buffer.isBuffer(slice) ? slice : dicomBytes(slice));
  }
  return dir;
}
