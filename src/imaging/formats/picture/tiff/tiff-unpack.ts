import { concatBytes } from '../../bytes.ts';
import { CodecError } from '../../dicom/codecs/frame-format.ts';
import type { ScanFiles } from '../../scan-files.ts';
import {
  type Announced,
  decodeJpeg2000Picture,
  decodeJpegPicture,
  jpeg2000Facts,
  jpegFacts,
  rgbOfYcc,
} from '../codecs/colour-codecs.ts';
import { unpackPackBits } from '../samples.ts';
import { unpackLzw } from './lzw.ts';

// How tiles of TIFF are packed. What a tile may unpack to is known before: nothing takes more.

/** A packed tile. */
export interface PackedTile {
  readonly bytes: Uint8Array;
  /** Bytes that it unpacks to. */
  readonly size: number;
  readonly rows: number;
  readonly columns: number;
  /** Samples of a pixel in it. */
  readonly samples: number;
  readonly colours: string;
  /** Tables of JPEG that all tiles share. */
  readonly jpegTables: Uint8Array;
}

interface Compression {
  readonly name: string;
  /** Absent where there is no way to unpack it. */
  readonly unpack?: (files: ScanFiles, tile: PackedTile) => Promise<Uint8Array>;
  /** Pixels or bytes that a packed byte can stand for, at most. */
  readonly most?: number;
  /** Whether what it unpacks to are samples in little endian, red, green and blue where there are three. */
  readonly isImage?: boolean;
}

const deflate: Compression = { name: 'deflate', unpack: inflated, most: 1032 };
// A picture of nothing takes next to no bytes.
const jpeg2000: Compression = { name: 'JPEG 2000', unpack: fromJpeg2000, isImage: true, most: 2 ** 20 };

/** Ways to pack by their number (TIFF 6.0; registered ones of Adobe and Aperio above 30000). */
const compressions: ReadonlyMap<number, Compression> = new Map<number, Compression>([
  [1, { name: 'none', unpack: async (_, { bytes, size }) => wholeTile(bytes.subarray(0, size), size) }],
  // The longest string of the table by a code of 12 bits.
  [5, { name: 'LZW', unpack: async (_, { bytes, size }) => unpackLzw(bytes, size), most: 2731 }],
  // A bit and more for a block of 16 x 16 of each channel.
  [7, { name: 'JPEG', unpack: fromJpeg, isImage: true, most: 3 * 2048 }],
  [8, deflate],
  [32946, deflate],
  [32773, { name: 'PackBits', unpack: async (_, { bytes, size }) => unpackPackBits(bytes, size), most: 64 }],
  [33003, { ...jpeg2000, unpack: async (files, tile) => rgbOfYcc(await fromJpeg2000(files, tile)) }],
  [33005, jpeg2000],
  [34712, jpeg2000],
  [2, { name: 'CCITT' }],
  [3, { name: 'CCITT' }],
  [4, { name: 'CCITT' }],
  [6, { name: 'JPEG as of TIFF 6.0' }],
  [34887, { name: 'LERC' }],
  [34892, { name: 'lossy JPEG of DNG' }],
  [50000, { name: 'Zstandard' }],
  [50001, { name: 'WebP' }],
  [50002, { name: 'JPEG XL' }],
]);

/** How tiles are packed by the number of a file, in words. */
export const compressionName = (code: number): string => compressions.get(code)?.name ?? `number ${code}`;

/** The way by its number; undefined where tiles of it cannot be unpacked. */
export function compressionOf(code: number): Required<Compression> | undefined {
  const found = compressions.get(code);
  const { most = 1, isImage = false } = found ?? {};
  return found?.unpack && { ...found, unpack: found.unpack, isImage, most };
}

function wholeTile(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length === size) return bytes;
  throw new CodecError(`${bytes.length} bytes unpacked, where there should be ${size}`);
}

async function inflated(files: ScanFiles, { bytes, size }: PackedTile): Promise<Uint8Array> {
  let given = false;
  const unpacker = files.inflate('zlib', Math.min(size + 1, 2 ** 20), async () => {
    if (given) return undefined;
    given = true;
    return bytes;
  });
  const pieces: Uint8Array[] = [];
  let count = 0;
  try {
    while (count < size) {
      const piece = await unpacker.next();
      if (piece === undefined) break;
      pieces.push(piece);
      count += piece.length;
    }
  } catch (error) {
    throw new CodecError(error instanceof Error ? error.message : 'damaged data');
  } finally {
    unpacker.close();
  }
  if (count === 0) throw new CodecError('nothing');
  return wholeTile(concatBytes(pieces).subarray(0, size), size);
}

/** Tells libjpeg whether three channels are luma and chroma (Adobe's APP14), as the tags of TIFF say. */
const adobe = (transform: 0 | 1): Uint8Array =>
  Uint8Array.of(0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, transform);

async function fromJpeg(_files: ScanFiles, tile: PackedTile): Promise<Uint8Array> {
  const { bytes, jpegTables, samples, colours } = tile;
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== 0xd8)
    throw new CodecError('no start of a JPEG picture');
  // Tables are a JPEG of their own, from its start to its end.
  const tables = jpegTables.length > 4 ? jpegTables.subarray(2, jpegTables.length - 2) : new Uint8Array(0);
  const marker = samples === 3 ? adobe(colours === 'YCbCr' ? 1 : 0) : new Uint8Array(0);
  const whole = concatBytes([bytes.subarray(0, 2), marker, tables, bytes.subarray(2)]);
  checkTile(jpegFacts(whole), tile);
  return decodeJpegPicture(whole);
}

/** Pixels of a tile of JPEG 2000, at most: four bytes of each sample are in memory. */
const mostPixels = 2 ** 24;

async function fromJpeg2000(_files: ScanFiles, tile: PackedTile): Promise<Uint8Array> {
  if (tile.rows * tile.columns > mostPixels)
    throw new CodecError(`a tile of JPEG 2000 of more than ${mostPixels} pixels`);
  checkTile(jpeg2000Facts(tile.bytes), tile);
  return decodeJpeg2000Picture(tile.bytes);
}

function checkTile({ width, height, channels, bits }: Announced, tile: PackedTile): void {
  const { rows, columns, samples, size } = tile;
  const bytes = width * height * channels * (bits > 8 ? 2 : 1);
  if (width === columns && height === rows && channels === samples && bytes === size) return;
  throw new CodecError(
    `${width} x ${height} pixels of ${channels} channels of ${bits} bits, where the file says ${columns} x ${rows} of ${samples}`,
  );
}
