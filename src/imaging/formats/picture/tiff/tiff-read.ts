import { ImagingError } from '../../../volume/errors.ts';
import type { ScanFiles } from '../../scan-files.ts';
import type { PictureReadOptions, PictureTiles } from '../picture-types.ts';
import { reopenedFile } from '../reopened-file.ts';
import { TiffDirectory, type TiffFile, tiffHeader } from './tiff-directory.ts';
import { channelsOf, type TiffPage, tags, tiffPage } from './tiff-page.ts';
import { pixelSizeOf } from './tiff-scale.ts';
import { PageReader } from './tiff-tiles.ts';
import { compressionName, compressionOf } from './tiff-unpack.ts';

/** Directories that are looked at: a pyramid has about ten, and slides bring a label and an overview. */
const mostDirectories = 64;

/**
 * Opens a TIFF, BigTIFF, OME-TIFF or SVS: its first picture, and smaller ones of the same view as further levels. Reads directories
 * alone. Throws ImagingError where it cannot be read.
 */
export async function openTiff(
  files: ScanFiles,
  file: string,
  { labels = false }: PictureReadOptions,
): Promise<PictureTiles> {
  const { first, ...tiff } = await tiffHeader(file, await reopenedFile(files, file));
  const directories = await allDirectories(tiff, first);
  const base = await tiffPage(directories[0]);
  if (compressionOf(base.compression) === undefined) refuseCompression(file, base.compression);
  const { pages, others } = await levelsOf(base, directories.slice(1));
  const { pixel, note } = await pixelSizeOf(directories[0]);
  const isPalette = base.colours === 'palette' && !labels;
  const palette = isPalette ? await paletteOf(base) : undefined;
  const channels = isPalette ? 3 : channelsOf(base.colours);
  const beyond = base.samples - channelsOf(base.colours);
  const notes = [
    ...(note === undefined ? [] : [note]),
    ...(beyond > 0 ? [`its alpha channel${beyond > 1 ? 's are' : ' is'} left out`] : []),
    ...(others > 0
      ? [`${others} further picture${others > 1 ? 's' : ''} of the same size in it are passed over`]
      : []),
  ];
  const readers = pages.map((page) => new PageReader(files, page, { labels, palette }));
  return {
    ...{ file, format: 'TIFF', channels, type: base.bits === 16 ? 'uint16' : 'uint8', notes },
    levels: readers.map(({ level }) => level),
    ...(pixel && { pixel }),
    tile: (level, row, column) => readers[level].tile(row, column),
  };
}

function refuseCompression(file: string, code: number): never {
  throw new ImagingError({
    file,
    field: 'compression',
    expected: 'none, deflate, LZW, PackBits, JPEG or JPEG 2000',
    found: compressionName(code),
    hint: 'Convert it, for example with: vips tiffsave IN OUT --tile --pyramid --bigtiff --compression deflate',
  });
}

/** All directories of a file, those below its first one among them. */
async function allDirectories(tiff: TiffFile, first: number): Promise<TiffDirectory[]> {
  const found: TiffDirectory[] = [];
  const seen = new Set<number>();
  for (let at = first; at !== 0 && !seen.has(at) && found.length < mostDirectories; ) {
    seen.add(at);
    const directory = await TiffDirectory.read(tiff, at);
    found.push(directory);
    at = directory.next;
  }
  if (found.length === 0)
    throw new ImagingError({
      file: tiff.file,
      field: 'directories',
      expected: 'at least one',
      found: 'none',
    });
  for (const at of await found[0].numbers(tags.directories, mostDirectories)) {
    if (seen.has(at)) continue;
    seen.add(at);
    found.push(await TiffDirectory.read(tiff, at));
  }
  return found;
}

/** Smaller pictures of the same view, from large to small, and how many others of its own size there are. */
async function levelsOf(
  base: TiffPage,
  directories: readonly TiffDirectory[],
): Promise<{ readonly pages: readonly TiffPage[]; readonly others: number }> {
  const pages = [base];
  let others = 0;
  for (const directory of directories) {
    const [height, width] = [await directory.number(tags.height, 0), await directory.number(tags.width, 0)];
    if (height === base.height && width === base.width) others++;
    if (!(height >= 1 && width >= 1 && height < base.height && width < base.width)) continue;
    const page = await tiffPage(directory).catch((error: unknown) => {
      if (error instanceof ImagingError) return undefined; // a label or an overview of a kind that nobody asks for
      throw error;
    });
    if (page !== undefined && isLevel(page, base)) pages.push(page);
  }
  return { pages: pages.sort((a, b) => b.width - a.width), others };
}

/** Whether a smaller picture shows what the base does: with the same proportions, to a pixel or two, and kept alike. */
function isLevel(page: TiffPage, base: TiffPage): boolean {
  const scale = base.width / page.width;
  return (
    Math.abs(base.height / scale - page.height) <= 2 &&
    page.tiled === base.tiled &&
    page.bits === base.bits &&
    channelsOf(page.colours) === channelsOf(base.colours) &&
    (page.colours === 'palette') === (base.colours === 'palette') &&
    compressionOf(page.compression) !== undefined
  );
}

/** Red, green and blue of 8 bits of each index. */
async function paletteOf({ directory, bits }: TiffPage): Promise<Uint8Array> {
  const entries = 2 ** bits;
  const map = await directory.numbers(tags.colourMap, 3 * entries);
  if (map.length < 3 * entries)
    throw new ImagingError({
      file: directory.tiff.file,
      field: 'ColorMap',
      expected: `${3 * entries} values`,
      found: `${map.length}`,
    });
  return Uint8Array.from({ length: 3 * entries }, (_, n) => map[(n % 3) * entries + Math.floor(n / 3)] / 256);
}
