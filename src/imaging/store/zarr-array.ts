import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import { z } from 'zod';
import {
  beginPartial,
  readBytes,
  systemErrorCode,
  systemErrorReason,
  writeProblem,
} from '../../files/index.ts';
import { hostIsLittle } from '../volume/byte-order.ts';
import { ImagingError } from '../volume/errors.ts';
import { type Shape3, voxelCount } from '../volume/volume.ts';
import { refuseNonFinite } from '../volume/voxel-decoder.ts';
import { readJsonAs } from './json-file.ts';
import { shapeOfAtMost } from './shape-schema.ts';

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
  /** Whether the bytes of its elements are shuffled. */
  readonly shuffled: boolean;
}

/** Voxels of a chunk at most along an axis: half a MiB of int16; of a picture, whose depth is 1, a quarter of a MiB of bytes. */
const CHUNK = 64;
const PICTURE_CHUNK = 512;

/** Fast: a higher level takes a third longer and saves 2 %. */
const LEVEL = 1;

const compress = promisify(deflate);
const expand = promisify(inflate);

/** Voxels of an array at most: a picture of 2^18 pixels a side. Beyond, a header is damaged. */
export const mostVoxels = 2 ** 36;

/** Voxels of a chunk at most, in memory as a whole: 64 MiB of float32. */
const mostInChunk = 2 ** 24;

const shuffle = (type: StoredType) => [{ id: 'shuffle', elementsize: elementBytes(type) }];

const description = z
  .object({
    zarr_format: z.literal(2, { error: '2, the version of the format' }),
    shape: shapeOfAtMost(mostVoxels),
    chunks: shapeOfAtMost(mostInChunk),
    dtype: z.enum(['<f4', '<i2', '|u1'], { error: 'one of <f4, <i2, |u1' }),
    order: z.literal('C', { error: 'C, the order of rows' }),
    compressor: z.looseObject(
      { id: z.literal('zlib', { error: 'zlib' }) },
      { error: 'zlib, as {"id": "zlib"}' },
    ),
    filters: z.union(
      [z.null(), z.tuple([z.looseObject({ id: z.literal('shuffle'), elementsize: z.int() })])],
      { error: 'null, or the one filter shuffle with its elementsize' },
    ),
    fill_value: z.union([z.literal(0), z.null()], { error: '0 or null, as every chunk is there' }).optional(),
    dimension_separator: z
      .literal('.', { error: '".", which chunks are named with, such as 0.0.0' })
      .optional(),
  })
  .superRefine(({ dtype, filters }, context) => {
    const [wanted] = shuffle(dtype);
    if (filters !== null && filters[0].elementsize !== wanted.elementsize)
      context.addIssue({
        code: 'custom',
        path: ['filters', 0, 'elementsize'],
        message: `${wanted.elementsize}, the bytes of an element of ${dtype}`,
      });
  });

/** Chunks of about equal size: 97 voxels make 49 + 48, not 64 + 33. */
export function chunksOf(shape: Shape3): Shape3 {
  const most = shape[0] === 1 ? PICTURE_CHUNK : CHUNK;
  const along = (extent: number) => Math.ceil(extent / Math.ceil(extent / most));
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
  const array: ZarrArray = { folder, shape, chunks: chunksOf(shape), type, shuffled: type !== '|u1' };
  await written(folder, async () => {
    await mkdir(folder);
    await writeJson(path.join(folder, '.zarray'), {
      zarr_format: 2,
      shape,
      chunks: array.chunks,
      dtype: type,
      order: 'C',
      compressor: { id: 'zlib', level: LEVEL },
      filters: array.shuffled ? shuffle(type) : null,
      fill_value: 0,
      dimension_separator: '.',
    });
  });
  return array;
}

/** Opens an array; reads no chunk. Throws ImagingError where there is none, its last chunk is missing, or it is of another kind. */
export async function openZarr(folder: string): Promise<ZarrArray> {
  const { shape, chunks, dtype, filters } = await readJsonAs(path.join(folder, '.zarray'), description);
  const shuffled = filters !== null && elementBytes(dtype) > 1;
  const array: ZarrArray = { folder, shape, chunks, type: dtype, shuffled };
  // A shape beyond the chunks would be found out after a long time, and take memory for all of it.
  const last = shape.map((n, axis) => Math.ceil(n / chunks[axis]) - 1) as unknown as Shape3;
  if (!existsSync(chunkFile(array, last))) throw chunkError(array, last, 'nothing at this path');
  return array;
}

/** The file of the chunk at (k, j, i), counted in chunks. */
export function chunkFile({ folder }: ZarrArray, at: Shape3): string {
  return path.join(folder, at.join('.'));
}

/** Writes a whole chunk, padding included. */
export async function writeChunk(array: ZarrArray, at: Shape3, voxels: StoredVoxels): Promise<void> {
  const bytes = await compress(storedBytes(array, voxels), { level: LEVEL, chunkSize: 1 << 16 });
  const file = chunkFile(array, at);
  await written(file, () => writeFile(file, bytes));
}

/** What zlib finds in a damaged chunk, by its codes. */
const damages: Readonly<Record<string, string | undefined>> = {
  ERR_BUFFER_TOO_LARGE: 'more bytes than a chunk has',
  Z_BUF_ERROR: 'a stream that is cut short',
  Z_DATA_ERROR: 'a stream that is not intact',
};

/**
 * Reads a whole chunk, padding included. Throws ImagingError that names the file where it is missing or damaged, or holds a voxel
 * that is no finite number.
 */
export async function readChunk(array: ZarrArray, at: Shape3): Promise<StoredVoxels> {
  const file = chunkFile(array, at);
  const voxels = voxelsOf(array.type, array.chunks[0] * array.chunks[1] * array.chunks[2]);
  try {
    const options = { chunkSize: voxels.byteLength + 64, maxOutputLength: voxels.byteLength };
    const bytes = await expand(await readBytes(file), options);
    if (bytes.length !== voxels.byteLength) throw new RangeError(`${bytes.length} bytes`);
    fromStored(array, bytes, voxels);
  } catch (error) {
    const code = systemErrorCode(error);
    const damage = damages[code] ?? systemErrorReason(error);
    throw chunkError(
      array,
      at,
      code === 'ENOENT' ? 'nothing at this path' : `damaged data: ${damage}`,
      error,
    );
  }
  refuseNonFinite(file, voxels, 0);
  return voxels;
}

function chunkError(array: ZarrArray, at: Shape3, found: string, cause?: unknown): ImagingError {
  const bytes = voxelCount(array.chunks) * elementBytes(array.type);
  return new ImagingError(
    {
      file: chunkFile(array, at),
      field: `chunk (depth, height, width) = (${at.join(', ')})`,
      expected: `a compressed chunk of ${bytes} bytes`,
      found,
      hint: 'Remove the folder of this case and run halomesh preprocess again.',
    },
    { cause },
  );
}

/**
 * The bytes of elements as they are stored, the least significant first on every machine: all first bytes, all second ones... where
 * they are shuffled, else one element after the other.
 */
function storedBytes({ shuffled }: ZarrArray, voxels: StoredVoxels): Uint8Array {
  const size = voxels.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength);
  if (size === 1) return bytes;
  const out = new Uint8Array(bytes.length);
  for (let b = 0; b < size; b++) {
    let to = shuffled ? b * voxels.length : b;
    const step = shuffled ? 1 : size;
    for (let from = hostIsLittle ? b : size - 1 - b; from < bytes.length; from += size, to += step)
      out[to] = bytes[from];
  }
  return out;
}

function fromStored({ shuffled }: ZarrArray, bytes: Uint8Array, voxels: StoredVoxels): void {
  const size = voxels.BYTES_PER_ELEMENT;
  const out = new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength);
  for (let b = 0; b < size; b++) {
    let from = shuffled ? b * voxels.length : b;
    const step = shuffled ? 1 : size;
    for (let to = hostIsLittle ? b : size - 1 - b; to < out.length; to += size, from += step)
      out[to] = bytes[from];
  }
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

/** What cannot be written: a full disk, a folder of somebody else. */
export class StoreWriteError extends ImagingError {}

async function written<T>(file: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw new StoreWriteError(writeProblem(file, error), { cause: error });
  }
}
