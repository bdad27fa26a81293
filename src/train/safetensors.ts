import { type FileHandle, open } from 'node:fs/promises';
import { endianness } from 'node:os';
import { z } from 'zod';
import { fail } from '../core/index.ts';
import { readAll, writeAll, writeAtomically } from '../files/index.ts';
import { systemErrorReason } from '../imaging/index.ts';

// The safetensors format (https://github.com/huggingface/safetensors): the length of the header as 8 bytes, little-endian;
// the header, JSON, `{ name: { dtype, shape, data_offsets: [from, to] }, __metadata__: { key: text } }`, filled up with
// spaces; then the numbers, little-endian and row-major, without gaps. Offsets count from the end of the header.

export type TensorData = Float32Array | Float64Array;

/** A tensor to be written. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: 'F32' | 'F64';
  readonly shape: readonly number[];
  /** Its numbers, asked for when their turn comes. */
  readonly data: () => TensorData | Promise<TensorData>;
}

/** What the header tells of a tensor. */
export interface TensorInfo {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes after the header: from, to. */
  readonly offsets: readonly [number, number];
}

/** An open safetensors file. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  read(name: string): Promise<TensorData>;
  close(): Promise<void>;
}

const BYTES: Readonly<Record<string, number>> = { F32: 4, F64: 8 };
const ALIGNMENT = 8;
/** A header above this is a sign that the file is something else. */
const MOST_HEADER = 2 ** 28;

/** The wider type first and then by name, so that all lie aligned. */
export function inFileOrder(tensors: readonly TensorEntry[]): TensorEntry[] {
  return [...tensors].sort((a, b) => BYTES[b.dtype] - BYTES[a.dtype] || (a.name < b.name ? -1 : 1));
}

/** Writes tensors one at a time, in the order of the file. */
export async function writeSafetensors(
  file: string,
  tensors: readonly TensorEntry[],
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  needLittleEndian(file);
  const sorted = inFileOrder(tensors);
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const { name, dtype, shape } of sorted) {
    const from = end;
    end += BYTES[dtype] * shape.reduce((n, size) => n * size, 1);
    header[name] = { dtype, shape, data_offsets: [from, end] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const start = Buffer.alloc(8 + Math.ceil(json.length / ALIGNMENT) * ALIGNMENT, ' ');
  start.writeBigUInt64LE(BigInt(start.length - 8));
  json.copy(start, 8);
  await writeAtomically(file, async (handle) => {
    await writeAll(handle, start);
    for (const { name, dtype, shape, data } of sorted) {
      const numbers = await data();
      const expected = BYTES[dtype] * shape.reduce((n, size) => n * size, 1);
      if (numbers.byteLength !== expected)
        fail({
          where: file,
          problem: `numbers of tensor "${name}"`,
          expected: `${expected} bytes`,
          found: `${numbers.byteLength}`,
        });
      await writeAll(handle, numbers);
    }
  });
}

/** Opens a file and reads its header. Throws HalomeshError with the file's name where it is damaged. */
export async function openSafetensors(file: string): Promise<TensorFile> {
  needLittleEndian(file);
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    return fail({ where: file, problem: `cannot be read: ${systemErrorReason(error)}` }, { cause: error });
  }
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
    throw error;
  }
}

const headerSchema = z.record(
  z.string(),
  z.object({
    dtype: z.string(),
    shape: z.array(z.number().int().nonnegative()),
    data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
  }),
);

async function readHeader(file: string, handle: FileHandle) {
  const damaged = (expected: string, found: string): never =>
    fail({
      where: file,
      problem: 'is no whole safetensors file',
      expected,
      found,
      hint: 'It may have been cut off when it was copied',
    });
  const { size } = await handle.stat();
  const prefix = Buffer.alloc(8);
  if (!(await readAll(handle, prefix, 0))) damaged('at least 8 bytes', `${size}`);
  const length = Number(prefix.readBigUInt64LE());
  if (length > MOST_HEADER || 8 + length > size) damaged(`a header within ${size} bytes`, `${length} bytes`);
  const text = Buffer.alloc(length);
  await readAll(handle, text, 8);
  let content: Record<string, unknown>;
  try {
    content = z.record(z.string(), z.unknown()).parse(JSON.parse(text.toString('utf8')));
  } catch (error) {
    return fail(
      { where: file, problem: 'its header is not JSON', hint: 'Is it a safetensors file?' },
      { cause: error },
    );
  }
  const { __metadata__: told = {}, ...entries } = content;
  const metadata = z.record(z.string(), z.string()).safeParse(told);
  const parsed = headerSchema.safeParse(entries);
  if (!parsed.success || !metadata.success) {
    const path = (parsed.error ?? metadata.error)!.issues[0].path.join('.');
    return damaged(
      'dtype, shape and data_offsets for every tensor, texts for metadata',
      `a fault at "${path}"`,
    );
  }
  const tensors = new Map<string, TensorInfo>();
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(parsed.data)) {
    const bytes = (BYTES[dtype] ?? Number.NaN) * shape.reduce((n, s) => n * s, 1);
    const [from, to] = offsets;
    if (to - from !== bytes && !Number.isNaN(bytes))
      damaged(`${bytes} bytes for tensor "${name}"`, `${to - from}`);
    if (8 + length + to > size)
      damaged(`tensor "${name}" up to byte ${8 + length + to}`, `${size} bytes in all`);
    tensors.set(name, { dtype, shape, offsets });
  }
  return { metadata: metadata.data, tensors, start: 8 + length };
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
  const { dtype, shape, offsets } = info;
  const count = shape.reduce((n, size) => n * size, 1);
  if (dtype !== 'F32' && dtype !== 'F64')
    return fail({ where: file, problem: `type of tensor "${name}"`, expected: 'F32 or F64', found: dtype });
  const data = dtype === 'F64' ? new Float64Array(count) : new Float32Array(count);
  if (!(await readAll(handle, data, start + offsets[0])))
    fail({ where: file, problem: `ends within tensor "${name}"` });
  return data;
}

function needLittleEndian(file: string): void {
  if (endianness() !== 'LE')
    fail({ where: file, problem: 'safetensors files are read and written on little-endian machines only' });
}
