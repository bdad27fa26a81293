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
  /** The file that holds the voxels. */
  readonly data: string;
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
  const { file, format, shape, affine, oriented, encoding, data, skip = 0 } = raw;
  const bytes = voxelCount(shape) * elementBytes(encoding.type);
  const promise = `${shape[2]}x${shape[1]}x${shape[0]} of ${encoding.type}`;
  if (bytes > maxBytes) {
    const expected = `at most ${maxBytes} bytes of voxels`;
    throw new ImagingError({ file, field: 'sizes', expected, found: `${bytes} bytes (${promise})` });
  }
  const reader = await ByteReader.open(files, data, raw.range);
  const before = raw.atEnd ? reader.fileBytes - bytes : skip;
  if (before < 0 || before + bytes > reader.largestContent) {
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
  const { type, slope, intercept } = encoding;
  return {
    header: { file, format, shape, affine, type, slope, intercept, oriented },
    read: (slab, checkFinite, take) => readAll(reader, { raw, before, bytes }, slab, checkFinite, take),
    close: () => reader.close(),
  };
}

async function readAll(
  reader: ByteReader,
  { raw, before, bytes }: { raw: RawVoxels; before: number; bytes: number },
  slab: VoxelArray,
  checkFinite: boolean,
  take: (voxels: VoxelArray, first: number) => void,
): Promise<void> {
  const plane = raw.shape[1] * raw.shape[2];
  const onFull = (voxels: VoxelArray, done: number) => take(voxels, done / plane);
  const decoder = new VoxelDecoder(raw.encoding, slab, { file: raw.data, checkFinite, onFull });
  await reader.skip(before);
  let left = bytes;
  while (left > 0) {
    const piece = await reader.next(left);
    if (piece === undefined) {
      const found = `${bytes - left} bytes`;
      const hint = 'The file is cut short.';
      throw new ImagingError({ file: raw.data, field: 'voxels', expected: `${bytes} bytes`, found, hint });
    }
    decoder.push(piece);
    left -= piece.length;
  }
  decoder.end();
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
