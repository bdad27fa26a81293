import { ImagingError } from '../../../volume/errors.ts';
import type { TiffDirectory } from './tiff-directory.ts';

// What the tags of one directory say of its picture (TIFF 6.0).

/** Numbers of the tags that are looked at. */
export const tags = {
  width: 256,
  height: 257,
  bits: 258,
  compression: 259,
  colours: 262,
  fillOrder: 266,
  description: 270,
  stripOffsets: 273,
  samples: 277,
  stripRows: 278,
  stripBytes: 279,
  columnResolution: 282,
  rowResolution: 283,
  planar: 284,
  resolutionUnit: 296,
  predictor: 317,
  colourMap: 320,
  tileWidth: 322,
  tileHeight: 323,
  tileOffsets: 324,
  tileBytes: 325,
  directories: 330,
  sampleFormat: 339,
  jpegTables: 347,
} as const;

/** What samples stand for (PhotometricInterpretation). */
export type Colours = 'grey' | 'grey, 0 white' | 'RGB' | 'palette' | 'YCbCr';

const colourKinds: Readonly<Record<number, Colours>> = {
  ...{ 0: 'grey, 0 white', 1: 'grey', 2: 'RGB', 3: 'palette', 6: 'YCbCr' },
};
const otherColours: Readonly<Record<number, string>> = {
  ...{
    4: 'a mask of transparency',
    5: 'CMYK',
    8: 'CIE L*a*b*',
    9: 'ICC L*a*b*',
    32803: 'a colour filter array',
  },
};

/** A picture of one directory. */
export interface TiffPage {
  readonly directory: TiffDirectory;
  readonly height: number;
  readonly width: number;
  readonly bits: 1 | 2 | 4 | 8 | 16;
  /** Samples of a pixel, those beyond the colours (alpha) among them. */
  readonly samples: number;
  readonly colours: Colours;
  readonly compression: number;
  /** 2: each sample is stored as its difference from that of the pixel before it. */
  readonly predictor: 1 | 2;
  /** Whether the samples of a pixel lie together, or each channel has tiles of its own. */
  readonly interleaved: boolean;
  /** Whether it is stored in tiles; else in strips, each of which is a tile as wide as the picture. */
  readonly tiled: boolean;
  readonly tileHeight: number;
  readonly tileWidth: number;
}

/** Pixels along an axis, and of a tile, beyond which a size is no size of a picture. */
const mostPixels = 2 ** 24;
const mostTileBytes = 2 ** 30;

/** Reads what a page is. Throws ImagingError where it is none that can be read. */
export async function tiffPage(directory: TiffDirectory): Promise<TiffPage> {
  const refuse = (field: string, expected: string, found: string, hint?: string): never => {
    throw new ImagingError({ file: directory.tiff.file, field, expected, found, ...(hint && { hint }) });
  };
  const one = (tag: number, otherwise: number) => directory.number(tag, otherwise);
  const [height, width] = [await one(tags.height, 0), await one(tags.width, 0)];
  const isSize = (n: number): boolean => Number.isInteger(n) && n >= 1 && n <= mostPixels;
  if (!(isSize(height) && isSize(width)))
    refuse('size of the picture', `1 to ${mostPixels} pixels a side`, `${width} x ${height}`);
  const samples = await one(tags.samples, 1);
  if (!(samples >= 1 && samples <= 8)) refuse('SamplesPerPixel', '1 to 8', `${samples}`);
  const photometric = await one(tags.colours, samples >= 3 ? 2 : 1);
  const colours =
    colourKinds[photometric] ??
    refuse(
      'colours',
      'grey, RGB, YCbCr or a palette',
      otherColours[photometric] ?? `PhotometricInterpretation ${photometric}`,
      'Convert it to RGB.',
    );
  const needed = colours === 'RGB' || colours === 'YCbCr' ? 3 : 1;
  if (samples < needed) refuse('SamplesPerPixel', `at least ${needed} for ${colours}`, `${samples}`);
  const depths = await directory.numbers(tags.bits, samples);
  const bits = depths[0] ?? 1;
  if (!isDepth(bits) || depths.some((other) => other !== bits) || (bits < 8 && samples > 1))
    return refuse('BitsPerSample', '8 or 16, of a single channel also 1, 2 or 4', depths.join(', '));
  const kinds = await directory.numbers(tags.sampleFormat, samples);
  if (kinds.some((kind) => kind !== 1 && kind !== 4))
    refuse('SampleFormat', 'whole numbers from 0 on', kinds.join(', '), 'Convert it to 8 or 16 bits.');
  const predictor = await one(tags.predictor, 1);
  if ((predictor !== 1 && predictor !== 2) || (predictor === 2 && bits < 8))
    return refuse('Predictor', '1 (none), or 2 (differences) of 8 or 16 bits', `${predictor}`);
  if ((await one(tags.fillOrder, 1)) !== 1)
    refuse('FillOrder', '1, the highest bit first', `${await one(tags.fillOrder, 1)}`);
  const tiled = directory.count(tags.tileOffsets) > 0 || directory.count(tags.tileWidth) > 0;
  const tileWidth = tiled ? await one(tags.tileWidth, 0) : width;
  const tileHeight = tiled
    ? await one(tags.tileHeight, 0)
    : Math.min(height, await one(tags.stripRows, height));
  const what = tiled ? 'size of tiles' : 'rows of a strip';
  if (!(isSize(tileHeight) && isSize(tileWidth)))
    refuse(what, `1 to ${mostPixels} pixels a side`, `${tileWidth} x ${tileHeight}`);
  const bytes = tileHeight * Math.ceil((tileWidth * samples * bits) / 8);
  if (bytes > mostTileBytes)
    refuse(
      what,
      `at most ${mostTileBytes} bytes unpacked`,
      `${bytes} (${tileWidth} x ${tileHeight} pixels)`,
      'Write it in tiles, for example with: vips tiffsave IN OUT --tile --pyramid --bigtiff',
    );
  return {
    ...{ directory, height, width, bits, samples, colours, predictor, tiled, tileHeight, tileWidth },
    compression: await one(tags.compression, 1),
    interleaved: samples === 1 || (await one(tags.planar, 1)) !== 2,
  };
}

const isDepth = (bits: number): bits is TiffPage['bits'] => [1, 2, 4, 8, 16].includes(bits);

/** Tiles of a page along its height and width. */
export const tilesOfPage = ({
  height,
  width,
  tileHeight,
  tileWidth,
}: TiffPage): readonly [number, number] => [Math.ceil(height / tileHeight), Math.ceil(width / tileWidth)];

/** Channels of the picture. */
export const channelsOf = (colours: Colours): 1 | 3 => (colours === 'RGB' || colours === 'YCbCr' ? 3 : 1);
