import { ImagingError } from '../../../volume/errors.ts';
import { CodecError } from '../../dicom/codecs/frame-format.ts';
import type { ScanFiles } from '../../scan-files.ts';
import type { PictureLevel, PictureSamples } from '../picture-types.ts';
import { addDifferences, firstOf, interleaved, unpackBits, wideSamples } from '../samples.ts';
import { bytesAt } from './tiff-directory.ts';
import { channelsOf, type TiffPage, tags, tilesOfPage } from './tiff-page.ts';
import { compressionOf } from './tiff-unpack.ts';

/** Bytes that are read at once of a picture that is one long strip and not packed. */
const pieceBytes = 2 ** 22;

/** What values become: those of label maps stay as they are; of other pictures indices become colours, and grey 0 to 255. */
interface Meaning {
  readonly labels: boolean;
  /** Red, green and blue of each index. */
  readonly palette?: Uint8Array;
}

/** Where the tiles of a page lie, and how long each is. */
interface Places {
  readonly offsets: Float64Array;
  readonly bytes: Float64Array;
  readonly jpegTables: Uint8Array;
}

/** Reads the tiles of one page. */
export class PageReader {
  /** Its size, and that of its tiles as they are read: of a picture that is one long strip and not packed, pieces of it. */
  readonly level: PictureLevel;
  private readonly files: ScanFiles;
  private readonly page: TiffPage;
  private readonly meaning: Meaning;
  /** Samples that lie together, and bytes of a row of a tile. */
  private readonly perPixel: number;
  private readonly rowBytes: number;
  private places: Promise<Places> | undefined;

  constructor(files: ScanFiles, page: TiffPage, meaning: Meaning) {
    this.files = files;
    this.page = page;
    this.meaning = meaning;
    this.perPixel = page.interleaved ? page.samples : 1;
    const { height, width, tileHeight, tileWidth } = page;
    this.rowBytes = Math.ceil((tileWidth * this.perPixel * page.bits) / 8);
    const isLong = page.compression === 1 && !page.tiled && page.interleaved && tileHeight === height;
    const piece = Math.min(height, Math.max(1, Math.floor(pieceBytes / this.rowBytes)));
    this.level = { height, width, tileWidth, tileHeight: isLong ? piece : tileHeight };
  }

  /** A tile as the picture has it: grey, or red, green and blue. Throws ImagingError where it is damaged. */
  async tile(row: number, column: number): Promise<PictureSamples> {
    const { page } = this;
    this.places ??= this.readPlaces();
    const places = await this.places;
    const [down, across] = tilesOfPage(page);
    const keep = channelsOf(page.colours);
    const name = `${page.tiled ? 'tile' : 'strip'} (row, column) = (${row}, ${column}) of ${page.width} x ${page.height} pixels`;
    try {
      if (page.interleaved)
        return this.shown(firstOf(await this.samplesAt(places, row, column), page.samples, keep));
      const planes: PictureSamples[] = [];
      for (let channel = 0; channel < keep; channel++)
        planes.push(await this.samplesAt(places, row, column, channel * down * across));
      return this.shown(interleaved(planes));
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      throw new ImagingError({
        file: page.directory.tiff.file,
        field: name,
        expected: 'intact data',
        found: error.message,
        hint: 'Copy or download the file again.',
      });
    }
  }

  private async readPlaces(): Promise<Places> {
    const { page } = this;
    const { directory, tiled } = page;
    const [down, across] = tilesOfPage(page);
    const count = down * across * (page.interleaved ? 1 : page.samples);
    const offsets = await directory.numbers(tiled ? tags.tileOffsets : tags.stripOffsets, count);
    let bytes = await directory.numbers(tiled ? tags.tileBytes : tags.stripBytes, count);
    // Some writers leave out how long the one strip of a picture is.
    if (bytes.length === 0 && count === 1 && page.compression === 1)
      bytes = Float64Array.of(this.rowBytes * page.height);
    const found = Math.min(offsets.length, bytes.length);
    if (found === count)
      return { offsets, bytes, jpegTables: await directory.bytes(tags.jpegTables, 2 ** 16) };
    throw new ImagingError({
      file: directory.tiff.file,
      field: tiled ? 'TileOffsets, TileByteCounts' : 'StripOffsets, StripByteCounts',
      expected: `${count}`,
      found: `${found}`,
      hint: 'The file is damaged: copy or download it again.',
    });
  }

  /** The samples of a tile as they are stored; `skip`: tiles of the channels before. */
  private async samplesAt(
    { offsets, bytes, jpegTables }: Places,
    row: number,
    column: number,
    skip = 0,
  ): Promise<PictureSamples> {
    const { page, level, rowBytes, perPixel } = this;
    const { bits, tileWidth, predictor, colours } = page;
    const { tiff } = page.directory;
    const isPiece = level.tileHeight !== page.tileHeight;
    const left = page.height - row * level.tileHeight;
    const rows = page.tiled ? page.tileHeight : Math.min(level.tileHeight, left);
    const size = rows * rowBytes;
    const index = isPiece ? 0 : skip + row * tilesOfPage(page)[1] + column;
    const start = offsets[index] + (isPiece ? row * level.tileHeight * rowBytes : 0);
    const count = isPiece || page.compression === 1 ? Math.min(size, bytes[index]) : bytes[index];
    const { unpack, isImage, most } = compressionOf(page.compression)!;
    // A tile without bytes is one of nothing but zeros.
    let unpacked: Uint8Array;
    if (count === 0) unpacked = new Uint8Array(size);
    else {
      if (size > count * most) throw new CodecError(`${count} bytes, which cannot hold ${size} unpacked`);
      // Nothing that is packed grows much: a length beyond that is damaged.
      if (count > 2 * size + 2 ** 16)
        throw new CodecError(`${count} packed bytes, where there are ${size} unpacked`);
      const packed = await bytesAt(tiff, start, count, `tile (row, column) = (${row}, ${column})`);
      unpacked = await unpack(this.files, {
        ...{ bytes: packed, size, rows, columns: tileWidth, samples: perPixel, colours, jpegTables },
      });
    }
    if (bits < 8) return unpackBits(unpacked, bits as 1 | 2 | 4, rows, tileWidth);
    const samples = bits === 16 ? wideSamples(unpacked, isImage || tiff.little) : unpacked;
    if (predictor === 2 && !isImage) addDifferences(samples, tileWidth, perPixel);
    return samples;
  }

  /** Samples as values of the picture. */
  private shown(samples: PictureSamples): PictureSamples {
    const { labels, palette } = this.meaning;
    const { bits, colours } = this.page;
    if (labels) return samples;
    if (palette !== undefined) {
      const out = new Uint8Array(3 * samples.length);
      for (let n = 0; n < samples.length; n++)
        for (let channel = 0; channel < 3; channel++)
          out[3 * n + channel] = palette[3 * samples[n] + channel];
      return out;
    }
    const most = 2 ** bits - 1;
    const scale = bits < 8 ? 255 / most : 1;
    if (colours === 'grey, 0 white')
      for (let n = 0; n < samples.length; n++) samples[n] = (most - samples[n]) * scale;
    else if (scale !== 1) for (let n = 0; n < samples.length; n++) samples[n] *= scale;
    return samples;
  }
}
