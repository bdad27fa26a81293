import { ImagingError } from '../../volume/errors.ts';
import { RGB_CHANNELS } from '../../volume/normalization.ts';
import { canonicalGrid } from '../../volume/orientation.ts';
import type { OpenScan, ScanHeader, ScanReadOptions } from '../../volume/scan-types.ts';
import type { Grid, VoxelArray } from '../../volume/volume.ts';
import type { ScanFiles } from '../scan-files.ts';
import { openPicture } from './picture.ts';
import { pictureGrid, rowsAsSlices } from './picture-grid.ts';
import { boxPixels, type OpenPicture, type PictureBox, samplesOf } from './picture-types.ts';

/** Microns of a pixel where a file does not say. */
const defaultMicrons = 1;
/** Names of the channels of a picture, by their number. */
export const channelNames: Readonly<Record<1 | 3, readonly string[]>> = { 1: ['grey'], 3: RGB_CHANNELS };
/** What samples of 16 bits are divided by, so that colours are 0 to 255 in every picture. */
const wideScale = 257;

/** The grid of a picture, the value of its samples, and what is to be told of it. */
export function pictureHeader(picture: OpenPicture, labels: boolean): ScanHeader {
  const { file, format, type, pixel, levels } = picture;
  const [{ height, width }] = levels;
  const { row, column } = pixel ?? { row: defaultMicrons, column: defaultMicrons };
  const said = pixel === undefined && !labels;
  const notes = [
    ...picture.notes,
    ...(said ? [`it does not say how large its pixels are: ${defaultMicrons} micron is taken`] : []),
  ];
  return {
    ...{ file, format, type, oriented: true, intercept: 0 },
    ...pictureGrid(height, width, row / 1000, column / 1000),
    slope: type === 'uint16' && !labels ? 1 / wideScale : 1,
    ...(notes.length > 0 && { notes }),
  };
}

/**
 * Opens a channel of a picture as a volume of depth 1; undefined where the file is none. A label map lies on `options.onto`, the grid of its
 * image, where it has as many pixels: what it says of their size does not count. Throws ImagingError for a picture that cannot be read, or has
 * other channels than asked for.
 */
export async function openPictureScan(
  files: ScanFiles,
  file: string,
  options: ScanReadOptions,
): Promise<OpenScan | undefined> {
  const { labels = false, maxBytes, volume, volumes, onto } = options;
  const picture = await openPicture(files, file, { labels, ...(maxBytes && { maxBytes }) });
  if (picture === undefined) return undefined;
  const { channels } = picture;
  if (!labels) checkChannels(file, channels, volumes, volume);
  const header: ScanHeader = { ...pictureHeader(picture, labels), ...(labels && gridOf(picture, onto)) };
  const channel = (): number => {
    if (volume !== undefined || channels === 1 || labels) return volume ?? 0;
    throw new ImagingError({
      file,
      field: 'channels',
      expected: 'one channel',
      found: `${channels}: ${channelNames[channels].join(', ')}`,
      hint: 'Give it as an image of a data set, which has them all.',
    });
  };
  const read = (box: PictureBox, out: VoxelArray): Promise<void> =>
    labels ? readLabels(picture, box, out) : readChannel(picture, header, channel(), box, out);
  const [, height, width] = header.shape;
  return {
    header,
    passing: rowsAsSlices(header),
    async read(slab, _, take) {
      const most = Math.floor(slab.length / width);
      // Whole tiles at a time, so that none is unpacked twice.
      const { tileHeight } = picture.levels[0];
      const step = most >= tileHeight ? most - (most % tileHeight) : most;
      for (let row = 0; row < height; row += step) {
        const rows = Math.min(step, height - row);
        const voxels = slab.subarray(0, rows * width);
        await read({ row0: row, row1: row + rows, column0: 0, column1: width }, voxels);
        take(voxels, row);
      }
    },
    box: ({ start, end }, out) =>
      read({ row0: start[1], row1: end[1], column0: start[2], column1: end[2] }, out),
    close: async () => {},
  };
}

/** The grid of the image of a label map, where it has as many pixels. */
function gridOf({ levels: [{ height, width }] }: OpenPicture, onto: Grid | undefined): Grid | undefined {
  if (onto === undefined) return undefined;
  const { shape, affine } = canonicalGrid(onto);
  return shape[0] === 1 && shape[1] === height && shape[2] === width ? { shape, affine } : undefined;
}

function checkChannels(file: string, channels: 1 | 3, wanted = channels as number, volume = 0): void {
  const found = `${channels} (${channelNames[channels].join(', ')})`;
  if (channels !== wanted)
    throw new ImagingError({
      file,
      field: 'channels',
      expected: `${wanted}, as other pictures of its data set have`,
      found,
      hint: 'Convert it to the colours of the others.',
    });
  if (!(Number.isInteger(volume) && volume >= 0 && volume < channels))
    throw new ImagingError({ file, field: 'channel', expected: `0 to ${channels - 1}`, found: `${volume}` });
}

/** Pixels that are read at once: their samples lie beside what they become. */
const pixelsAtOnce = 2 ** 22;

/** Calls `visit` for parts of a box of whole rows, not too many pixels each. */
async function inParts(
  picture: OpenPicture,
  box: PictureBox,
  visit: (samples: ArrayLike<number>, at: number, pixels: number) => void,
): Promise<void> {
  const width = box.column1 - box.column0;
  const rows = Math.max(1, Math.floor(pixelsAtOnce / Math.max(1, width)));
  for (let row0 = box.row0; row0 < box.row1; row0 += rows) {
    const part = { ...box, row0, row1: Math.min(row0 + rows, box.row1) };
    const pixels = boxPixels(part);
    const samples = samplesOf(picture.type, pixels * picture.channels);
    await picture.read(0, part, samples);
    visit(samples, (row0 - box.row0) * width, pixels);
  }
}

function readChannel(
  picture: OpenPicture,
  { slope }: ScanHeader,
  channel: number,
  box: PictureBox,
  out: VoxelArray,
): Promise<void> {
  const { channels } = picture;
  return inParts(picture, box, (samples, at, pixels) => {
    for (let n = 0; n < pixels; n++) out[at + n] = samples[n * channels + channel] * slope;
  });
}

/** The values of a label map, which may be written as shades of grey in three channels. */
function readLabels(picture: OpenPicture, box: PictureBox, out: VoxelArray): Promise<void> {
  const { channels, file } = picture;
  const width = box.column1 - box.column0;
  return inParts(picture, box, (samples, at, pixels) => {
    for (let n = 0; n < pixels; n++) {
      const value = samples[n * channels];
      for (let channel = 1; channel < channels; channel++) {
        if (samples[n * channels + channel] === value) continue;
        const place = [box.row0 + Math.floor((at + n) / width), box.column0 + ((at + n) % width)];
        const colour = [0, 1, 2].map((one) => samples[n * channels + one]).join(', ');
        throw new ImagingError({
          file,
          field: `label at pixel (row, column) = (${place.join(', ')})`,
          expected: 'the number of a class: a picture of one channel, or of a palette',
          found: `the colour ${colour}`,
          hint: 'Write the numbers of classes as grey values, or as indices of a palette.',
        });
      }
      out[at + n] = value;
    }
  });
}
