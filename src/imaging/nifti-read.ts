import { existsSync } from 'node:fs';
import { ByteReader } from './byte-reader.ts';
import { ImagingError, systemErrorCode } from './errors.ts';
import { headerBytes, type NiftiHeader, parseHeader, sniffHeader } from './nifti-header.ts';
import { elementBytes } from './nifti-types.ts';
import { type Grid, type Shape3, type Volume, type VoxelArray, voxelCount } from './volume.ts';
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
  const image = await openVoxels(file, options);
  const { reader, header, shape } = image;
  try {
    const data = allocate(reader.file, header, voxelCount(shape), options.as ?? 'compact');
    const checkFinite = options.nonFinite !== 'keep';
    await decodeVoxels(image, new VoxelDecoder(header, data, { file: reader.file, checkFinite }));
    return { data, shape, affine: header.affine, header };
  } finally {
    await reader.close();
  }
}

/** Takes an image from its first slice to its last. */
export interface SlabSink<T> {
  /** The voxels of the next few slices, from slice `first` on; the array is used again. */
  take(voxels: VoxelArray, first: number): void;
  /** Called after the last slab. */
  end(): T;
}

/** Slabs hold whole slices: as many as fit here, at least one. */
const slabBytes = 1 << 24;

/**
 * As readNifti, but the voxels pass by in slabs of a few slices, in one array that is used again and again. `begin` is told
 * the image's grid and header before any voxel is read, and gives what takes the slabs.
 */
export async function readNiftiSlabs<T>(
  file: string,
  options: NiftiReadOptions,
  begin: (image: Grid & { readonly header: NiftiHeader }) => SlabSink<T>,
): Promise<T> {
  const image = await openVoxels(file, options);
  const { reader, header, shape } = image;
  try {
    const sink = begin({ shape, affine: header.affine, header });
    const plane = shape[1] * shape[2];
    const slices = Math.min(shape[0], Math.max(1, Math.floor(slabBytes / (4 * plane))));
    const slab = allocate(reader.file, header, slices * plane, options.as ?? 'compact');
    const decoder = new VoxelDecoder(header, slab, {
      file: reader.file,
      checkFinite: options.nonFinite !== 'keep',
      onFull: (voxels, before) => sink.take(voxels, before / plane),
    });
    await decodeVoxels(image, decoder);
    return sink.end();
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

/** A file whose header is read and found sound, and whose voxels are not read. */
interface OpenVoxels {
  /** Of the file that holds the voxels. */
  readonly reader: ByteReader;
  readonly header: NiftiHeader;
  readonly shape: Shape3;
  /** Which 3-D volume of the file is wanted. */
  readonly index: number;
}

async function openVoxels(file: string, options: NiftiReadOptions): Promise<OpenVoxels> {
  const head = await openHeader(file);
  const { header } = head;
  let { reader } = head;
  try {
    const extent = (axis: number) => header.dims[axis] ?? 1;
    const shape: Shape3 = [extent(2), extent(1), extent(0)];
    const index = volumeIndex(reader.file, header, options.volume);
    if (!header.singleFile) {
      await reader.close();
      reader = await ByteReader.open(partnerOf(reader.file, 'img'));
    }
    checkSize(reader, header, options.maxBytes ?? 8 * 2 ** 30);
    return { reader, header, shape, index };
  } catch (error) {
    await reader.close();
    throw error;
  }
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

/** Feeds the wanted volume to the decoder, then reads on to the end, so that gzip's check sum is tested. */
async function decodeVoxels(
  { reader, header, shape, index }: OpenVoxels,
  decoder: VoxelDecoder,
): Promise<void> {
  const bytes = voxelCount(shape) * elementBytes(header.type);
  const total = header.dims.reduce((product, n) => product * n, elementBytes(header.type));
  const end = header.voxelOffset + total;
  await reader.skip(header.voxelOffset + index * bytes - reader.position);
  let left = bytes;
  while (left > 0) {
    const piece = await reader.next(left);
    if (piece === undefined) break;
    decoder.push(piece);
    left -= piece.length;
  }
  if (left === 0) decoder.end();
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
