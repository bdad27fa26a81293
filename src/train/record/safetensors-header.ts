import { z } from 'zod';
import { crc32 } from '../../files/bytes/crc32.ts';
import { parseJson } from '../../files/wire/json.ts';

// The header of a safetensors file: JSON, `{ name: { dtype, shape, data_offsets: [from, to] }, __metadata__: { key: text } }`.
// Files of halomesh hold sums among the metadata, where other readers see texts like any other: `crc32`, those of the tensors by
// name, and `header_crc32`, that of the header itself, taken with zeros in its place.

/** What the header tells of a tensor. */
export interface TensorInfo {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes after the header: from, to. */
  readonly offsets: readonly [number, number];
  /** CRC-32 of its bytes; absent in files without sums. */
  readonly sum?: number;
}

export interface Header {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Without the sums. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What is wrong with a header. */
export class HeaderFault extends Error {
  readonly expected: string;
  readonly found: string;

  constructor(expected: string, found: string) {
    super(`expected ${expected}, found ${found}`);
    this.expected = expected;
    this.found = found;
  }
}

const BYTES: Readonly<Record<string, number>> = Object.assign(Object.create(null), {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  F8_E4M3: 1,
  F8_E5M2: 1,
  I8: 1,
  U8: 1,
  BOOL: 1,
});
const ALIGNMENT = 8;
const SUMS = 'crc32';
const OWN_SUM = 'header_crc32';
const NO_SUM = '00000000';

/** Bytes of a number of a type; undefined for a type that the format does not have. */
export const bytesOf = (dtype: string): number | undefined => BYTES[dtype];

/** The wider type first and then by name, so that all lie aligned. */
export function inFileOrder<T extends { readonly name: string; readonly dtype: string }>(
  tensors: readonly T[],
): T[] {
  return [...tensors].sort(
    (a, b) => (bytesOf(b.dtype) ?? 0) - (bytesOf(a.dtype) ?? 0) || (a.name < b.name ? -1 : 1),
  );
}

const hex = (sum: number): string => sum.toString(16).padStart(8, '0');
const ownSum = (sum: string): string => `"${OWN_SUM}":"${sum}"`;

/**
 * The bytes before the numbers: the length of the header, and the header, filled up with spaces. Of one length for the same tensors
 * and metadata, whatever the sums are.
 */
export function encodeHeader({ tensors, metadata }: Header): Uint8Array {
  const sums = [...tensors].map(([name, { sum = 0 }]) => `${JSON.stringify(name)}:"${hex(sum)}"`);
  const told = { ...metadata, [SUMS]: `{${sums.join(',')}}`, [OWN_SUM]: NO_SUM };
  const entries = [...tensors].map(([name, { dtype, shape, offsets }]) => [
    name,
    { dtype, shape, data_offsets: offsets },
  ]);
  const json = utf8(JSON.stringify(Object.fromEntries([['__metadata__', told], ...entries])));
  const bytes = new Uint8Array(8 + Math.ceil(json.length / ALIGNMENT) * ALIGNMENT).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(json, 8);
  bytes.set(utf8(ownSum(hex(crc32(bytes.subarray(8))))), lastPlaceOf(bytes, ownSum(NO_SUM)));
  return bytes;
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Where a text of plain letters stands last among bytes; -1 where it stands nowhere. */
function lastPlaceOf(bytes: Uint8Array, text: string): number {
  const wanted = utf8(text);
  for (let at = bytes.length - wanted.length; at >= 0; at--)
    if (wanted.every((byte, n) => bytes[at + n] === byte)) return at;
  return -1;
}

const tensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});
const textsSchema = z.record(z.string(), z.string());
const sumsSchema = z.record(z.string(), z.string().regex(/^[0-9a-f]{8}$/));

/** Reads the header of a file with so many bytes of numbers. Throws {@link HeaderFault}, and SyntaxError where it is no JSON. */
export function decodeHeader(bytes: Uint8Array, dataBytes: number): Header {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  const content = parseJson(text);
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    throw new HeaderFault('an object', text.trimEnd().slice(0, 20));
  const twice = repeatedKey(text);
  if (twice !== undefined) throw new HeaderFault('every key once', `"${twice}" twice`);
  const entries = new Map<string, unknown>(Object.entries(content));
  const told = textsSchema.safeParse(entries.get('__metadata__') ?? {});
  if (!told.success) throw new HeaderFault('texts for metadata', 'a fault at "__metadata__"');
  entries.delete('__metadata__');
  const { [SUMS]: sums, [OWN_SUM]: own, ...metadata } = told.data;
  if ((sums === undefined) !== (own === undefined))
    throw new HeaderFault(`metadata "${SUMS}" and "${OWN_SUM}"`, 'one of them alone');
  const summed = sums === undefined ? undefined : sumsOf(sums);
  if (own !== undefined) checkOwnSum(bytes, own);
  const tensors = new Map<string, TensorInfo>();
  for (const [name, entry] of entries)
    tensors.set(name, { ...tensorOf(name, entry), sum: summed?.get(name) });
  const unsummed = summed && [...tensors.keys()].find((name) => !summed.has(name));
  if (unsummed !== undefined) throw new HeaderFault(`a sum of tensor "${unsummed}"`, 'none');
  checkPlaces(tensors, dataBytes);
  return { tensors, metadata };
}

function sumsOf(text: string): ReadonlyMap<string, number> {
  try {
    const sums = Object.entries(sumsSchema.parse(parseJson(text)));
    return new Map(sums.map(([name, sum]) => [name, Number.parseInt(sum, 16)]));
  } catch {
    throw new HeaderFault(`sums of 8 hexadecimal digits in metadata "${SUMS}"`, text.slice(0, 40));
  }
}

function checkOwnSum(bytes: Uint8Array, own: string): void {
  const plain = Uint8Array.from(bytes);
  const at = lastPlaceOf(plain, ownSum(own));
  if (at >= 0) plain.set(utf8(ownSum(NO_SUM)), at);
  const found = hex(crc32(plain));
  if (at < 0 || found !== own) throw new HeaderFault(`a header with the sum ${own}`, found);
}

function tensorOf(name: string, entry: unknown): TensorInfo {
  const parsed = tensorSchema.safeParse(entry);
  if (!parsed.success) {
    const at = [name, ...parsed.error.issues[0].path].join('.');
    throw new HeaderFault('dtype, shape and data_offsets for every tensor', `a fault at "${at}"`);
  }
  const { dtype, shape, data_offsets: offsets } = parsed.data;
  const each = bytesOf(dtype);
  if (each === undefined) throw new HeaderFault(`a known type of tensor "${name}"`, dtype);
  const bytes = each * shape.reduce((n, size) => n * size, 1);
  if (offsets[1] - offsets[0] !== bytes)
    throw new HeaderFault(`${bytes} bytes for tensor "${name}"`, `${offsets[1] - offsets[0]}`);
  return { dtype, shape, offsets };
}

/** Tensors lie one behind the other, from the end of the header to the end of the file. */
function checkPlaces(tensors: ReadonlyMap<string, TensorInfo>, dataBytes: number): void {
  let end = 0;
  const inOrder = [...tensors].sort(([, { offsets: a }], [, { offsets: b }]) => a[0] - b[0] || a[1] - b[1]);
  for (const [name, { offsets }] of inOrder) {
    if (offsets[0] !== end)
      throw new HeaderFault(`tensor "${name}" from byte ${end} of the numbers on`, `${offsets[0]}`);
    if (offsets[1] > dataBytes)
      throw new HeaderFault(
        `tensor "${name}" up to byte ${offsets[1]} of the numbers`,
        `${dataBytes} bytes in all`,
      );
    end = offsets[1];
  }
  if (end !== dataBytes) throw new HeaderFault(`${end} bytes of numbers`, `${dataBytes}`);
}

/** A key that stands twice in an object of a JSON text; undefined where there is none. The text must be JSON. */
export function repeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  const marks = /[{}[\]]|"(?:[^"\\]|\\.)*"(\s*:)?/g;
  for (const [mark, colon] of text.matchAll(marks)) {
    if (mark === '{') open.push(new Set());
    else if (mark === '[') open.push(undefined);
    else if (mark === '}' || mark === ']') open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(mark.slice(0, mark.length - colon.length)) as string;
      if (open.at(-1)?.has(key)) return key;
      open.at(-1)?.add(key);
    }
  }
  return undefined;
}
