import { ImagingError } from '../../../volume/errors.ts';
import { readError } from '../../byte-reader.ts';
import { latin1, viewOf } from '../../bytes.ts';
import type { ScanFiles } from '../../scan-files.ts';
import type {
  PictureFacts,
  PictureReadOptions,
  PictureSamples,
  PictureTiles,
  PixelSize,
} from '../picture-types.ts';
import { type ReopenedFile, reopenedFile } from '../reopened-file.ts';
import { isPixelSize, noteOnSize } from '../tiff/tiff-scale.ts';
import { type PngHeader, PngRows } from './png-rows.ts';
import { checkWhole } from './whole-picture.ts';

// PNG (W3C recommendation, third edition).

/** No DEFLATE stream grows by more than this factor. */
const largestRatio = 1032;

/** Opens a PNG, which is unpacked as a whole when its first pixel is read. Throws ImagingError where it cannot be read. */
export async function openPng(
  files: ScanFiles,
  file: string,
  { labels = false, maxBytes }: PictureReadOptions,
): Promise<PictureTiles> {
  const source = await reopenedFile(files, file);
  const found = await readChunks(file, source);
  const { header, pixel } = found;
  const { height, width, colours, bits } = header;
  const isColour = colours === 'RGB' || colours === 'RGB, alpha' || (colours === 'palette' && !labels);
  const about = {
    file,
    format: 'PNG',
    channels: isColour ? 3 : 1,
    type: bits === 16 ? 'uint16' : 'uint8',
  } as const satisfies Partial<PictureFacts>;
  checkWhole(about, height, width, maxBytes);
  const packed = found.data.reduce((sum, one) => sum + one.bytes, 0);
  if (height * Math.ceil((width * bits * header.samples) / 8) > packed * largestRatio)
    throw new ImagingError({
      file,
      field: 'IDAT',
      expected: `enough for ${width} x ${height} pixels`,
      found: `${packed} bytes`,
      hint: 'The file is cut short or damaged: copy or download it again.',
    });
  const isKnown = pixel !== undefined && isPixelSize(pixel);
  const hasAlpha = colours.endsWith('alpha') || (found.transparent && !(colours === 'palette' && labels));
  let whole: Promise<PictureSamples> | undefined;
  return {
    ...about,
    levels: [{ height, width, tileHeight: height, tileWidth: width }],
    ...(isKnown && { pixel }),
    notes: [
      ...(pixel !== undefined && !isKnown ? [noteOnSize(pixel)] : []),
      ...(hasAlpha ? ['its alpha channel is left out'] : []),
    ],
    tile: () => {
      whole ??= unpack(files, file, source, found, labels);
      return whole;
    },
  };
}

interface Chunks {
  readonly header: PngHeader;
  /** Red, green and blue of each index. */
  readonly palette: Uint8Array;
  /** Where the packed samples lie. */
  readonly data: readonly { readonly at: number; readonly bytes: number }[];
  readonly transparent: boolean;
  readonly pixel?: PixelSize;
}

const colourKinds: Readonly<Record<number, PngHeader['colours']>> = {
  ...{ 0: 'grey', 2: 'RGB', 3: 'palette', 4: 'grey, alpha', 6: 'RGB, alpha' },
};
/** Bits of a sample that each kind may have. */
const depths: Readonly<Record<PngHeader['colours'], readonly number[]>> = {
  grey: [1, 2, 4, 8, 16],
  RGB: [8, 16],
  palette: [1, 2, 4, 8],
  'grey, alpha': [8, 16],
  'RGB, alpha': [8, 16],
};

async function readChunks(file: string, source: ReopenedFile): Promise<Chunks> {
  const refuse = (field: string, expected: string, found: string): never => {
    const hint = 'The file is cut short or damaged: copy or download it again.';
    throw new ImagingError({ file, field, expected, found, hint });
  };
  let header: PngHeader | undefined;
  let palette: Uint8Array = new Uint8Array(0);
  let transparent = false;
  let pixel: PixelSize | undefined;
  const data: { at: number; bytes: number }[] = [];
  for (let at = 8; ; ) {
    const head = await source.read(at, 8);
    if (head.length < 8) return refuse('chunks', 'an IEND chunk', 'the end of the file');
    const bytes = viewOf(head).getUint32(0);
    const kind = latin1(head, 4, 8);
    if (header === undefined && kind !== 'IHDR')
      return refuse('first chunk', 'IHDR', JSON.stringify(kind.slice(0, 4)));
    if (at + 12 + bytes > source.size)
      return refuse(
        `chunk ${kind.replace(/[^A-Za-z]/g, '?')} at byte ${at}`,
        `${bytes} bytes`,
        'the end of the file',
      );
    if (kind === 'IHDR') header = headerOf(file, await source.read(at + 8, bytes));
    else if (kind === 'PLTE') palette = await source.read(at + 8, Math.min(bytes, 768));
    else if (kind === 'tRNS') transparent = true;
    else if (kind === 'IDAT') data.push({ at: at + 8, bytes });
    else if (kind === 'pHYs' && bytes === 9) {
      const density = viewOf(await source.read(at + 8, 9));
      const [across, down] = [density.getUint32(0), density.getUint32(4)];
      if (density.getUint8(8) === 1 && across > 0 && down > 0)
        pixel = { row: 1e6 / down, column: 1e6 / across };
    } else if (kind === 'IEND') break;
    at += 12 + bytes;
  }
  if (header === undefined) return refuse('first chunk', 'IHDR', 'none');
  if (header.colours === 'palette' && palette.length < 3) return refuse('PLTE', 'a palette', 'none');
  return { header, palette, data, transparent, ...(pixel && { pixel }) };
}

function headerOf(file: string, bytes: Uint8Array): PngHeader {
  const refuse = (field: string, expected: string, found: string): never => {
    const hint = 'The file is damaged: copy or download it again.';
    throw new ImagingError({ file, field, expected, found, hint });
  };
  if (bytes.length !== 13) return refuse('IHDR', '13 bytes', `${bytes.length}`);
  const view = viewOf(bytes);
  const [width, height] = [view.getUint32(0), view.getUint32(4)];
  const [bits, kind, packing, filter, interlaced] = bytes.subarray(8);
  if (!(width >= 1 && height >= 1 && width < 2 ** 24 && height < 2 ** 24))
    refuse('size of the picture', '1 to 16777215 pixels a side', `${width} x ${height}`);
  const colours = colourKinds[kind] ?? refuse('colour type', '0, 2, 3, 4 or 6', `${kind}`);
  if (!depths[colours].includes(bits))
    refuse('bit depth', `${depths[colours].join(', ')} of ${colours}`, `${bits}`);
  if (packing !== 0 || filter !== 0 || interlaced > 1)
    refuse(
      'methods of compression, filter and interlace',
      '0, 0, and 0 or 1',
      [packing, filter, interlaced].join(),
    );
  const samples = { grey: 1, RGB: 3, palette: 1, 'grey, alpha': 2, 'RGB, alpha': 4 }[colours];
  return { width, height, bits: bits as PngHeader['bits'], colours, samples, interlaced: interlaced === 1 };
}

/** Unpacks all samples. */
async function unpack(
  files: ScanFiles,
  file: string,
  source: ReopenedFile,
  { header, palette, data }: Chunks,
  labels: boolean,
): Promise<PictureSamples> {
  const refuse = (expected: string, found: string): never => {
    const hint = 'Copy or download the file again.';
    throw new ImagingError({ file, field: 'pixels', expected, found, hint });
  };
  const rows = new PngRows(header, { labels, ...(header.colours === 'palette' && { palette }) });
  let [chunk, inside] = [0, 0];
  const unpacker = files.inflate('zlib', 2 ** 18, async () => {
    while (chunk < data.length && inside === data[chunk].bytes) [chunk, inside] = [chunk + 1, 0];
    if (chunk === data.length) return undefined;
    const piece = await source.read(data[chunk].at + inside, Math.min(2 ** 18, data[chunk].bytes - inside));
    if (piece.length === 0) return undefined;
    inside += piece.length;
    return piece;
  });
  try {
    // Read on to the end, so that the check sum is tested, but not through what nobody asked for.
    for (let beyond = 0; beyond < 2 ** 20; ) {
      const piece = await unpacker.next();
      if (piece === undefined) break;
      const problem = rows.done ? undefined : rows.take(piece);
      if (problem !== undefined) return refuse('intact data', problem);
      if (rows.done) beyond += piece.length;
    }
  } catch (error) {
    const { found } = readError(file, error);
    return refuse('intact data', found);
  } finally {
    unpacker.close();
  }
  return rows.done ? rows.samples : refuse(`${header.height} rows`, 'fewer');
}
