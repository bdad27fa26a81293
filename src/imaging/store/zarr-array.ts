import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import { z } from 'zod';
import { beginPartial, readJsonFile } from '../../files/index.ts';
import { ImagingError, systemErrorCode, systemErrorReason, writeHints } from '../errors.ts';
import type { Shape3 } from '../volume.ts';

// Arrays of three dimensions in the Zarr format, version 2 (https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html): a folder
// with a file `.zarray`, and a file `k.j.i` for each chunk. Elements of several bytes are shuffled, all first bytes before all
// second ones, which halves what zlib leaves; chunks at the far ends are filled up with zeros.

/** Element types of stored arrays, in the words of the format. */
export type StoredType = '<f4' | '<i2' | '|u1';

/** Arrays of these types. */
export type StoredVoxels = Float32Array | Int16Array | Uint8Array;

export interface ZarrArray {
  readonly folder: string;
  readonly shape: Shape3;
  /** Voxels of a chunk along each axis. */
  readonly chunks: Shape3;
  readonly type: StoredType;
}

/** Voxels of a chunk at most along an axis: half a MiB of int16. */
const CHUNK = 64;

/** Fast: a higher level takes a third longer and saves 2 %. */
const LEVEL = 1;

const compress = promisify(deflate);
const expand = promisify(inflate);

const three = z.tuple([z.int().min(1), z.int().min(1), z.int().min(1)]);
const description = z.object({
  zarr_format: z.literal(2),
  shape: three,
  chunks: three,
  dtype: z.enum(['<f4', '<i2', '|u1']),
  order: z.literal('C'),
  compressor: z.object({ id: z.literal('zlib') }),
  filters: z.union([z.null(), z.tuple([z.object({ id: z.literal('shuffle') })])]),
});

/** Chunks of about equal size: 97 voxels make 49 + 48, not 64 + 33. */
export function chunksOf(shape: Shape3): Shape3 {
  const along = (extent: number) => Math.ceil(extent / Math.ceil(extent / CHUNK));
  return [along(shape[0]), along(shape[1]), along(shape[2])];
}

/** Bytes of an element. */
export const elementBytes = (type: StoredType): number => Number(type[2]);

/** A zeroed array of a stored type. */
export function voxelsOf(type: StoredType, length: number): StoredVoxels {
  switch (type) {
    case '<f4':
      return new Float32Array(length);
    case '<i2':
      return new Int16Array(length);
    case '|u1':
      return new Uint8Array(length);
    default:
      return type satisfies never;
  }
}

/** Makes the folder of an array, with no chunk in it yet. */
export async function createZarr(folder: string, shape: Shape3, type: StoredType): Promise<ZarrArray> {
  const array: ZarrArray = { folder, shape, chunks: chunksOf(shape), type };
  const bytes = elementBytes(type);
  await written(folder, async () => {
    await mkdir(folder);
    await writeJson(path.join(folder, '.zarray'), {
      zarr_format: 2,
      shape,
      chunks: array.chunks,
      dtype: type,
      order: 'C',
      compressor: { id: 'zlib', level: LEVEL },
      filters: bytes === 1 ? null : [{ id: 'shuffle', elementsize: bytes }],
      fill_value: 0,
      dimension_separator: '.',
    });
  });
  return array;
}

/** Opens an array that createZarr made; reads no chunk. Throws ImagingError where there is none or it is of another kind. */
export async function openZarr(folder: string): Promise<ZarrArray> {
  const { shape, chunks, dtype } = await readJson(path.join(folder, '.zarray'), description);
  return { folder, shape, chunks, type: dtype };
}

/** The file of the chunk at (k, j, i), counted in chunks. */
export function chunkFile({ folder }: ZarrArray, at: Shape3): string {
  return path.join(folder, at.join('.'));
}

/** Writes a whole chunk, padding included. */
export async function writeChunk(array: ZarrArray, at: Shape3, voxels: StoredVoxels): Promise<void> {
  const bytes = await compress(shuffled(voxels), { level: LEVEL, chunkSize: 1 << 16 });
  const file = chunkFile(array, at);
  await written(file, () => writeFile(file, bytes));
}

/** Reads a whole chunk, padding included. Throws ImagingError that names the file where it is missing or damaged. */
export async function readChunk(array: ZarrArray, at: Shape3): Promise<StoredVoxels> {
  const file = chunkFile(array, at);
  const voxels = voxelsOf(array.type, array.chunks[0] * array.chunks[1] * array.chunks[2]);
  try {
    const options = { chunkSize: voxels.byteLength + 64, maxOutputLength: voxels.byteLength };
    const bytes = await expand(await readFile(file), options);
    if (bytes.length !== voxels.byteLength) throw new RangeError(`${bytes.length} bytes`);
    unshuffle(bytes, voxels);
    return voxels;
  } catch (error) {
    const code = systemErrorCode(error);
    throw new ImagingError(
      {
        file,
        field: `chunk (depth, height, width) = (${at.join(', ')})`,
        expected: `a compressed chunk of ${voxels.byteLength} bytes`,
        found: code === 'ENOENT' ? 'nothing at this path' : `damaged data: ${systemErrorReason(error)}`,
        hint: 'Remove the folder of this case and run halomesh preprocess again.',
      },
      { cause: error },
    );
  }
}

const hostIsLittle = endianness() === 'LE';

/** All first bytes, all second ones, ...; the first is the least significant on every machine. */
function shuffled(voxels: StoredVoxels): Uint8Array {
  const size = voxels.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength);
  if (size === 1) return bytes;
  const out = new Uint8Array(bytes.length);
  for (let b = 0, to = 0; b < size; b++)
    for (let from = hostIsLittle ? b : size - 1 - b; from < bytes.length; from += size)
      out[to++] = bytes[from];
  return out;
}

function unshuffle(bytes: Uint8Array, voxels: StoredVoxels): void {
  const size = voxels.BYTES_PER_ELEMENT;
  const out = new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength);
  for (let b = 0, from = 0; b < size; b++)
    for (let to = hostIsLittle ? b : size - 1 - b; to < out.length; to += size) out[to] = bytes[from++];
}

/** Writes a value as JSON; the file appears whole. */
export function writeJson(file: string, value: unknown): Promise<void> {
  return written(file, async () => {
    const partial = beginPartial(file);
    try {
      await writeFile(partial.path, `${JSON.stringify(value, null, 1)}\n`, { flag: 'r+' });
      partial.finish();
    } finally {
      partial.discard();
    }
  });
}

/** Reads what writeJson wrote. Throws ImagingError for what is not there, no JSON or of another form. */
export async function readJson<T>(file: string, schema: z.ZodType<T>): Promise<T> {
  let content: unknown;
  try {
    content = await readJsonFile(file);
  } catch (error) {
    const found = error instanceof SyntaxError ? error.message : systemErrorReason(error);
    throw new ImagingError({ file, field: 'content', expected: 'JSON', found }, { cause: error });
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue.path.join('.') || 'content';
  const found = JSON.stringify(content).slice(0, 120);
  throw new ImagingError({ file, field, expected: issue.message, found });
}

/** What cannot be written: a full disk, a folder of somebody else. */
export class StoreWriteError extends ImagingError {}

async function written<T>(file: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const code = systemErrorCode(error);
    throw new StoreWriteError(
      {
        file,
        field: 'file',
        expected: 'to be written',
        found: systemErrorReason(error),
        hint: writeHints[code],
      },
      { cause: error },
    );
  }
}
