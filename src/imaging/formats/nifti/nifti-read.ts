import { ImagingError } from '../../volume/errors.ts';
import { elementBytes } from '../../volume/nifti-types.ts';
import { defaultMaxBytes, type OpenScan, type ScanReadOptions } from '../../volume/scan-types.ts';
import { type Shape3, type VoxelArray, voxelCount } from '../../volume/volume.ts';
import { VoxelDecoder } from '../../volume/voxel-decoder.ts';
import { ByteReader } from '../byte-reader.ts';
import { concatBytes } from '../bytes.ts';
import type { ScanFiles } from '../scan-files.ts';
import { headerBytes, type NiftiHeader, parseHeader, sniffHeader } from './nifti-header.ts';

/** How openNifti keeps the voxels. */
export type NiftiReadOptions = Omit<ScanReadOptions, 'series'>;

/** Bytes after the voxels that are still read to let gzip check its sum. */
const trailingBytes = 1 << 24;

/**
 * Opens a NIfTI-1 or NIfTI-2 image: `.nii`, `.nii.gz` or a `.hdr`/`.img` pair (either half may be gzipped,
 * and either may be named), both byte orders, integers and floats of 8 to 64 bits, slope and intercept
 * applied. Header extensions are skipped. Images of one or two dimensions get extents of 1.
 * The voxels are for the caller to take, slab by slab. Throws ImagingError for everything else, before memory is taken for a size that the file cannot hold.
 */
export async function openNifti(
  files: ScanFiles,
  file: string,
  options: NiftiReadOptions = {},
): Promise<OpenScan> {
  const image = await openVoxels(files, file, options);
  const { reader, header, shape } = image;
  const { type, slope, intercept, affine, affineSource, stored, notes } = header;
  return {
    header: {
      file,
      format: 'NIfTI',
      shape,
      affine,
      type,
      slope,
      intercept,
      oriented: affineSource !== 'pixdim',
      ...(stored && { stored }),
      ...(notes.length > 0 && { notes }),
    },
    read(slab, checkFinite, take) {
      const plane = shape[1] * shape[2];
      const onFull = (voxels: VoxelArray, before: number) => take(voxels, before / plane);
      return decodeVoxels(image, new VoxelDecoder(header, slab, { file: reader.file, checkFinite, onFull }));
    },
    close: () => reader.close(),
  };
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

async function openVoxels(files: ScanFiles, file: string, options: NiftiReadOptions): Promise<OpenVoxels> {
  const head = await openHeader(files, file);
  const { header } = head;
  let { reader } = head;
  try {
    const extent = (axis: number) => header.dims[axis] ?? 1;
    const shape: Shape3 = [extent(2), extent(1), extent(0)];
    const index = volumeIndex(reader.file, header, options);
    if (!header.singleFile) {
      await reader.close();
      reader = await ByteReader.open(files, partnerOf(files, reader.file, 'img'));
    }
    checkSize(reader, header, options.maxBytes ?? defaultMaxBytes);
    return { reader, header, shape, index };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/** The header and the reader behind its fixed part. */
async function openHeader(
  files: ScanFiles,
  file: string,
): Promise<{ header: NiftiHeader; reader: ByteReader }> {
  const named = /\.img(\.gz)?$/i.test(file) ? partnerOf(files, file, 'hdr') : file;
  const reader = await ByteReader.open(files, named);
  try {
    const start = await reader.take(4);
    const kind = sniffHeader(start);
    const rest = kind === undefined ? new Uint8Array(0) : await reader.take(headerBytes[kind.version] - 4);
    return { header: parseHeader(concatBytes([start, rest]), reader.file), reader };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/** The other half of a pair; the one that is gzipped as the named half is, where there are both. */
function partnerOf(files: ScanFiles, file: string, suffix: 'hdr' | 'img'): string {
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
  const partner = candidates.map((name) => files.find(name)).find((name) => name !== undefined);
  if (partner !== undefined && !files.isSame(file, partner)) return partner;
  const hint = `Put the .${suffix} half of this pair beside it.`;
  const found = partner === undefined ? 'neither' : 'the same file by another name';
  throw new ImagingError({ file, field: 'pair', expected: candidates.join(' or '), found, hint });
}

function volumeIndex(
  file: string,
  header: NiftiHeader,
  { volume: wanted, volumes: promised }: NiftiReadOptions,
): number {
  const volumes = header.dims.slice(3).reduce((product, n) => product * n, 1);
  if (promised !== undefined && volumes !== promised) {
    const found = `${volumes} (dim ${header.dims.join('x')})`;
    throw new ImagingError({
      file,
      field: 'dim',
      expected: `${promised} volumes, one for each channel`,
      found,
      hint: 'The names of channels of a data set say how many it has; a pattern with braces, such as *_{0000}.nii.gz, takes files of some.',
    });
  }
  const index = wanted ?? 0;
  if (!(Number.isInteger(index) && index >= 0 && index < volumes)) {
    const expected = `a volume from 0 to ${volumes - 1}`;
    throw new ImagingError({ file, field: 'volume', expected, found: `${index}` });
  }
  if (volumes > 1 && wanted === undefined) {
    const hint =
      'Choose one by its number from 0 (--volume of predict), or split the file into 3-D volumes, one a file, for example with fslsplit.';
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
