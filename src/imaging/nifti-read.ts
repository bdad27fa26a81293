import { existsSync } from 'node:fs';
import { ByteReader } from './byte-reader.ts';
import { ImagingError, systemErrorCode } from './errors.ts';
import { headerBytes, type NiftiHeader, parseHeader, sniffHeader } from './nifti-header.ts';
import { elementBytes } from './nifti-types.ts';
import { type Shape3, type Volume, type VoxelArray, voxelCount } from './volume.ts';
import { compactArray, VoxelDecoder } from './voxel-decoder.ts';

/** How readNifti keeps the voxels. */
export interface NiftiReadOptions {
  /**
   * `compact` (default): the file's own type where nothing is scaled, else float32; see compactArray.
   * `float32` and `float64` force that type; only `float64` keeps every value of a float64 or int64 file.
   */
  readonly as?: 'compact' | 'float32' | 'float64';
  /** Which 3-D volume of a 4-D to 7-D file, counted in file order from 0; without it such a file is refused. */
  readonly volume?: number;
  /** Whether NaN and infinite voxels are an error (default) or kept. */
  readonly nonFinite?: 'refuse' | 'keep';
  /** Refuse files whose voxels take more than this many bytes; 8 GiB by default. */
  readonly maxBytes?: number;
}

/** A volume read from a file, with the file's header. */
export interface NiftiVolume extends Volume {
  readonly header: NiftiHeader;
}

/** Bytes after the voxels that are still read to let gzip check its sum. */
const trailingBytes = 1 << 24;

/**
 * Reads a NIfTI-1 or NIfTI-2 image: `.nii`, `.nii.gz` or a `.hdr`/`.img` pair (either half may be gzipped,
 * and either may be named), both byte orders, integers and floats of 8 to 64 bits, slope and intercept
 * applied. Header extensions are skipped. Images of one or two dimensions get extents of 1.
 * Throws ImagingError for everything else, before memory is taken for a size that the file cannot hold.
 */
export async function readNifti(file: string, options: NiftiReadOptions = {}): Promise<NiftiVolume> {
  const head = await openHeader(file);
  let reader = head.reader;
  try {
    const { header } = head;
    const extent = (axis: number) => header.dims[axis] ?? 1;
    const shape: Shape3 = [extent(2), extent(1), extent(0)];
    const index = volumeIndex(reader.file, header, options.volume);
    if (!header.singleFile) {
      await reader.close();
      reader = await ByteReader.open(partnerOf(head.reader.file, 'img'));
    }
    checkSize(reader, header, options.maxBytes ?? 8 * 2 ** 30);
    const out = allocate(reader.file, header, voxelCount(shape), options.as ?? 'compact');
    await decodeVoxels(reader, header, index, out, options.nonFinite !== 'keep');
    return { data: out, shape, affine: header.affine, header };
  } finally {
    await reader.close();
  }
}

/** Reads the header alone (of a pair: from either half's name). Throws ImagingError as readNifti does. */
export async function readNiftiHeader(file: string): Promise<NiftiHeader> {
  const { header, reader } = await openHeader(file);
  await reader.close();
  return header;
}

/** The header and the reader behind its fixed part. */
async function openHeader(file: string): Promise<{ header: NiftiHeader; reader: ByteReader }> {
  const reader = await ByteReader.open(/\.img(\.gz)?$/i.test(file) ? partnerOf(file, 'hdr') : file);
  try {
    const start = await reader.take(4);
    const kind = sniffHeader(start);
    const rest = kind === undefined ? Buffer.alloc(0) : await reader.take(headerBytes[kind.version] - 4);
    return { header: parseHeader(Buffer.concat([start, rest]), reader.file), reader };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/** The other half of a pair; the one that is gzipped as the named half is, where there are both. */
function partnerOf(file: string, suffix: 'hdr' | 'img'): string {
  const match = /^(.*)\.(hdr|img)(\.gz)?$/is.exec(file);
  if (match === null) {
    throw new ImagingError({
      file,
      field: 'magic',
      expected: 'a name that ends in .hdr, .hdr.gz, .img or .img.gz for a header that is stored apart',
      found: 'another name, so the file with the voxels is unknown',
    });
  }
  const [, stem, , zipped] = match;
  const candidates = [`${stem}.${suffix}`, `${stem}.${suffix}.gz`];
  if (zipped !== undefined) candidates.reverse();
  const partner = candidates.find((name) => existsSync(name));
  if (partner !== undefined) return partner;
  const hint = `Put the .${suffix} half of this pair beside it.`;
  throw new ImagingError({ file, field: 'pair', expected: candidates.join(' or '), found: 'neither', hint });
}

function volumeIndex(file: string, header: NiftiHeader, wanted: number | undefined): number {
  const volumes = header.dims.slice(3).reduce((product, n) => product * n, 1);
  const index = wanted ?? 0;
  if (!(Number.isInteger(index) && index >= 0 && index < volumes)) {
    const expected = `a volume from 0 to ${volumes - 1}`;
    throw new ImagingError({ file, field: 'volume', expected, found: `${index}` });
  }
  if (volumes > 1 && wanted === undefined) {
    const hint = 'Name one by its index, or split the file into 3-D volumes.';
    const found = `${volumes} volumes (dim ${header.dims.join('x')})`;
    throw new ImagingError({ file, field: 'dim', expected: 'one 3-D volume', found, hint });
  }
  return index;
}

/** Refuses a header that promises more than the file can hold. */
function checkSize(reader: ByteReader, header: NiftiHeader, maxBytes: number): void {
  const { file } = reader;
  const voxelBytes = header.dims.reduce((product, n) => product * n, elementBytes(header.type));
  const promise = `dim ${header.dims.join('x')} of ${header.type}`;
  const volumeBytes = header.dims.slice(0, 3).reduce((product, n) => product * n, elementBytes(header.type));
  const needed = header.voxelOffset + voxelBytes;
  if (needed > reader.largestContent) {
    const gzip = reader.gzipped ? `, which can hold at most ${reader.largestContent} unpacked` : '';
    const expected = `${needed} bytes (vox_offset ${header.voxelOffset} and ${promise})`;
    const found = `${reader.fileBytes} bytes${gzip}`;
    const hint = 'The file is cut short or its header is damaged.';
    throw new ImagingError({ file, field: 'file size', expected, found, hint });
  }
  if (volumeBytes > maxBytes) {
    const found = `${volumeBytes} bytes (${promise})`;
    throw new ImagingError({ file, field: 'dim', expected: `at most ${maxBytes} bytes of voxels`, found });
  }
}

function allocate(file: string, header: NiftiHeader, voxels: number, as: 'compact' | 'float32' | 'float64') {
  try {
    if (as === 'float32') return new Float32Array(voxels);
    if (as === 'float64') return new Float64Array(voxels);
    return compactArray(header, voxels);
  } catch (error) {
    const found = `${voxels} voxels (${systemErrorCode(error)})`;
    const expected = 'an image that fits in memory';
    throw new ImagingError({ file, field: 'dim', expected, found }, { cause: error });
  }
}

/** Reads volume `index` into `out`, then on to the end, so that gzip's check sum is tested. */
async function decodeVoxels(
  reader: ByteReader,
  header: NiftiHeader,
  index: number,
  out: VoxelArray,
  checkFinite: boolean,
): Promise<void> {
  const bytes = out.length * elementBytes(header.type);
  const total = header.dims.reduce((product, n) => product * n, elementBytes(header.type));
  const end = header.voxelOffset + total;
  const decoder = new VoxelDecoder(header, out, reader.file, checkFinite);
  await reader.skip(header.voxelOffset + index * bytes - reader.position);
  for (let left = bytes; left > 0; ) {
    const piece = await reader.next(left);
    if (piece === undefined) break;
    decoder.push(piece);
    left -= piece.length;
  }
  decoder.flush();
  await reader.skip(end - reader.position);
  if (reader.position < end) {
    const expected = `${end} bytes (vox_offset ${header.voxelOffset}, dim ${header.dims.join('x')} of ${header.type})`;
    const hint = 'The file is cut short.';
    throw new ImagingError({
      file: reader.file,
      field: 'voxels',
      expected,
      found: `${reader.position} bytes`,
      hint,
    });
  }
  if (reader.gzipped) await reader.skip(trailingBytes);
}
