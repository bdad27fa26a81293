import type { Affine } from '../volume/affine.ts';
import { ImagingError } from '../volume/errors.ts';
import { elementBytes } from '../volume/nifti-types.ts';
import {
  defaultMaxBytes,
  type OpenScan,
  type ScanFormat,
  type ScanReadOptions,
} from '../volume/scan-types.ts';
import { type Shape3, type VoxelArray, voxelCount } from '../volume/volume.ts';
import { type Encoding, VoxelDecoder } from '../volume/voxel-decoder.ts';
import { type ByteRange, ByteReader } from './byte-reader.ts';
import type { ScanFiles } from './scan-files.ts';

/** Voxels that lie one after the other in a file, plain or packed as a whole. */
export interface RawVoxels {
  /** The file that was asked for, for messages. */
  readonly file: string;
  readonly format: ScanFormat;
  readonly shape: Shape3;
  /** (i, j, k) to RAS+ mm. */
  readonly affine: Affine;
  readonly oriented: boolean;
  readonly encoding: Encoding;
  /** The file that holds the voxels, or the files, each with as many slices and in the way of `range`. */
  readonly data: string | readonly string[];
  readonly range: Required<ByteRange>;
  /** Unpacked bytes to pass over before the first voxel; 0 by default. */
  readonly skip?: number;
  /** Whether the voxels are the last bytes of `data`, wherever they begin. */
  readonly atEnd?: boolean;
}

/** Opens them. Throws ImagingError where the file cannot hold them or they are too many. */
export async function openRawVoxels(
  files: ScanFiles,
  raw: RawVoxels,
  { maxBytes = defaultMaxBytes }: ScanReadOptions,
): Promise<OpenScan> {
  const { file, format, shape, affine, oriented, encoding, data } = raw;
  const bytes = voxelCount(shape) * elementBytes(encoding.type);
  const promise = `${shape[2]}x${shape[1]}x${shape[0]} of ${encoding.type}`;
  if (bytes > maxBytes) {
    const expected = `at most ${maxBytes} bytes of voxels`;
    throw new ImagingError({ file, field: 'sizes', expected, found: `${bytes} bytes (${promise})` });
  }
  const parts = typeof data === 'string' ? [data] : data;
  const each = bytes / parts.length;
  // The first one stays open; of the others it is seen that they are there and large enough.
  const first = await openPart(files, raw, parts[0], each, promise);
  let reader = first;
  try {
    for (const part of parts.slice(1)) await (await openPart(files, raw, part, each, promise)).close();
  } catch (error) {
    await first.close();
    throw error;
  }
  const { type, slope, intercept } = encoding;
  return {
    header: { file, format, shape, affine, type, slope, intercept, oriented },
    async read(slab, checkFinite, take) {
      const plane = shape[1] * shape[2];
      const onFull = (voxels: VoxelArray, done: number) => take(voxels, done / plane);
      const decoder = new VoxelDecoder(encoding, slab, { file: parts[0], checkFinite, onFull });
      for (const [n, part] of parts.entries()) {
        if (n > 0) reader = await openPart(files, raw, part, each, promise);
        await readPart(reader, decoder, { file: part, raw, bytes: each });
        if (n < parts.length - 1) await reader.close();
      }
      decoder.end();
    },
    close: () => reader.close(),
  };
}

/** Opens one of the files. Throws ImagingError where it cannot hold so many bytes. */
async function openPart(
  files: ScanFiles,
  raw: RawVoxels,
  data: string,
  bytes: number,
  promise: string,
): Promise<ByteReader> {
  const reader = await ByteReader.open(files, data, raw.range);
  const before = placeOf(reader, raw, bytes);
  if (before >= 0 && before + bytes <= reader.largestContent) return reader;
  await reader.close();
  const unpacked = reader.gzipped ? `, which can hold at most ${reader.largestContent} unpacked` : '';
  throw new ImagingError({
    file: data,
    field: 'file size',
    expected: `${Math.max(0, before) + bytes} bytes of voxels (${promise})`,
    found: `${reader.fileBytes} bytes${unpacked}`,
    hint: 'The file is cut short or its header is damaged.',
  });
}

/** Unpacked bytes before the first voxel of a file. */
const placeOf = ({ fileBytes }: ByteReader, { atEnd, skip = 0 }: RawVoxels, bytes: number): number =>
  atEnd ? fileBytes - bytes : skip;

async function readPart(
  reader: ByteReader,
  decoder: VoxelDecoder,
  { file, raw, bytes }: { readonly file: string; readonly raw: RawVoxels; readonly bytes: number },
): Promise<void> {
  await reader.skip(placeOf(reader, raw, bytes));
  let left = bytes;
  while (left > 0) {
    const piece = await reader.next(left);
    if (piece === undefined) {
      const found = `${bytes - left} bytes`;
      const hint = 'The file is cut short.';
      throw new ImagingError({ file, field: 'voxels', expected: `${bytes} bytes`, found, hint });
    }
    decoder.push(piece);
    left -= piece.length;
  }
  // The check sum of packed bytes stands behind them.
  if (reader.gzipped) await reader.skip(1 << 24);
}

/** The affine of axes given in LPS mm (x to the left, y to the back): column n is the step along index n. */
export function affineFromLps(columns: readonly (readonly number[])[], origin: readonly number[]): Affine {
  return affineFromRas(
    columns.map(([x, y, z]) => [-x, -y, z]),
    [-origin[0], -origin[1], origin[2]],
  );
}

/** As affineFromLps, from RAS+ mm. */
export function affineFromRas(columns: readonly (readonly number[])[], origin: readonly number[]): Affine {
  const row = (n: number) => [columns[0][n], columns[1][n], columns[2][n], origin[n]];
  // Adding 0 turns -0 into 0.
  return [...row(0), ...row(1), ...row(2), 0, 0, 0, 1].map((value) => value + 0);
}
