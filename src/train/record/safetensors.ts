import type { FileHandle } from 'node:fs/promises';
import { endianness } from 'node:os';
import { crc32 } from 'node:zlib';
import { fail } from '../../core/index.ts';
import { openFile, readAll, systemErrorReason, writeAll, writeAtomically } from '../../files/index.ts';
import {
  bytesOf,
  decodeHeader,
  encodeHeader,
  type Header,
  HeaderFault,
  inFileOrder,
  type TensorInfo,
} from './safetensors-header.ts';

// The safetensors format (https://github.com/huggingface/safetensors): the length of the header as 8 bytes, little-endian;
// the header, JSON, filled up with spaces; then the numbers, little-endian and row-major, without gaps. Offsets count from the
// end of the header.

export { inFileOrder, type TensorInfo } from './safetensors-header.ts';
export type TensorData = Float32Array | Float64Array;

/** A tensor to be written. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: 'F32' | 'F64';
  readonly shape: readonly number[];
  /** Its numbers, asked for when their turn comes. */
  readonly data: () => TensorData | Promise<TensorData>;
}

/** An open safetensors file. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Numbers of a tensor. Throws HalomeshError where they are not those that were written, or not all finite. */
  read(name: string): Promise<TensorData>;
  close(): Promise<void>;
}

/** A header above this is a sign that the file is something else. */
const MOST_HEADER = 2 ** 28;
const HINT = 'Was it cut off or changed when it was copied?';
const OVERFLOWN =
  'Nothing was written. In a training, start anew with a lower learning rate, or with "clipNorm"';

const sizeOf = ({ dtype, shape }: TensorEntry): number =>
  (bytesOf(dtype) ?? 0) * shape.reduce((n, size) => n * size, 1);

/** Writes tensors one at a time, in the order of the file, with a sum of each. */
export async function writeSafetensors(
  file: string,
  tensors: readonly TensorEntry[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  needLittleEndian(file);
  const sorted = inFileOrder(tensors);
  const infos = new Map<string, TensorInfo>();
  let end = 0;
  for (const entry of sorted) {
    const from = end;
    end += sizeOf(entry);
    const { name, dtype, shape } = entry;
    infos.set(name, { dtype, shape, offsets: [from, end] });
  }
  await writeAtomically(file, async (handle) => {
    await writeAll(handle, encodeHeader({ tensors: infos, metadata }));
    for (const entry of sorted) {
      const { name } = entry;
      const numbers = await entry.data();
      const expected = sizeOf(entry);
      if (numbers.byteLength !== expected)
        fail({
          where: file,
          problem: `numbers of tensor "${name}"`,
          expected: `${expected} bytes`,
          found: `${numbers.byteLength}`,
        });
      needFinite(file, name, numbers, entry.shape, OVERFLOWN);
      await writeAll(handle, numbers);
      const info = infos.get(name);
      if (info !== undefined) infos.set(name, { ...info, sum: crc32(bytesIn(numbers)) });
    }
    const header = encodeHeader({ tensors: infos, metadata });
    for (let at = 0; at < header.length; )
      at += (await handle.write(header, at, header.length - at, at)).bytesWritten;
  });
}

const bytesIn = ({ buffer, byteOffset, byteLength }: TensorData): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Opens a file and reads its header. Throws HalomeshError with the file's name where it is damaged. */
export async function openSafetensors(file: string): Promise<TensorFile> {
  needLittleEndian(file);
  const cannotRead = (error: unknown): never =>
    fail({ where: file, problem: `cannot be read: ${systemErrorReason(error)}` }, { cause: error });
  const handle = await openFile(file).catch(cannotRead);
  try {
    const { metadata, tensors, start } = await readHeader(file, handle);
    return {
      metadata,
      tensors,
      read: (name) => readTensor(file, handle, tensors, start, name),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    if (error instanceof Error && 'syscall' in error) cannotRead(error);
    throw error;
  }
}

async function readHeader(file: string, handle: FileHandle): Promise<Header & { readonly start: number }> {
  const damaged = (expected: string, found: string): never =>
    fail({ where: file, problem: 'is no whole safetensors file', expected, found, hint: HINT });
  const stat = await handle.stat();
  if (!stat.isFile()) fail({ where: file, problem: 'is no file' });
  const { size } = stat;
  const prefix = Buffer.alloc(8);
  if (!(await readAll(handle, prefix, 0))) damaged('at least 8 bytes', `${size}`);
  const length = Number(prefix.readBigUInt64LE());
  if (length > MOST_HEADER || 8 + length > size) damaged(`a header within ${size} bytes`, `${length} bytes`);
  const text = Buffer.alloc(length);
  await readAll(handle, text, 8);
  try {
    return { ...decodeHeader(text, size - 8 - length), start: 8 + length };
  } catch (error) {
    if (error instanceof HeaderFault) return damaged(error.expected, error.found);
    return fail(
      { where: file, problem: 'its header is not JSON', hint: 'Is it a safetensors file?' },
      { cause: error },
    );
  }
}

async function readTensor(
  file: string,
  handle: FileHandle,
  tensors: ReadonlyMap<string, TensorInfo>,
  start: number,
  name: string,
): Promise<TensorData> {
  const info = tensors.get(name);
  if (!info) return fail({ where: file, problem: `has no tensor "${name}"` });
  const { dtype, shape, offsets, sum } = info;
  const count = shape.reduce((n, size) => n * size, 1);
  if (dtype !== 'F32' && dtype !== 'F64')
    return fail({ where: file, problem: `type of tensor "${name}"`, expected: 'F32 or F64', found: dtype });
  const data = dtype === 'F64' ? new Float64Array(count) : new Float32Array(count);
  const whole = await readAll(handle, data, start + offsets[0]).catch((error: unknown) =>
    fail({ where: file, problem: `cannot be read: ${systemErrorReason(error)}` }, { cause: error }),
  );
  if (!whole) fail({ where: file, problem: `ends within tensor "${name}"` });
  if (sum !== undefined && crc32(bytesIn(data)) !== sum)
    fail({
      where: file,
      problem: `tensor "${name}" is damaged: its numbers are not those that were written`,
      hint: HINT,
    });
  needFinite(file, name, data, shape);
  return data;
}

/** Refuses numbers that are not finite, which no network can go on with: they are neither written nor taken. */
function needFinite(
  file: string,
  name: string,
  data: TensorData,
  shape: readonly number[],
  hint?: string,
): void {
  const place = data.findIndex((value) => !Number.isFinite(value));
  if (place >= 0)
    fail({
      where: file,
      problem: `tensor "${name}" at [${placeOf(place, shape).join(', ')}]`,
      expected: 'finite numbers',
      found: `${data[place]}`,
      ...(hint !== undefined && { hint }),
    });
}

/** Indices along the dimensions of the number at a place of a row-major array. */
function placeOf(place: number, shape: readonly number[]): number[] {
  const at: number[] = [];
  for (const size of [...shape].reverse()) {
    at.unshift(place % size);
    place = Math.floor(place / size);
  }
  return at;
}

function needLittleEndian(file: string): void {
  if (endianness() !== 'LE')
    fail({ where: file, problem: 'safetensors files are read and written on little-endian machines only' });
}
