import { channelFiles, checkChannelCount, checkSameGrid } from '../../dataset/channels.ts';
import type { Case } from '../../dataset/dataset.ts';
import { loadLabelBox } from '../../dataset/labels.ts';
import { diskFiles } from '../../formats/disk-files.ts';
import { openPicture } from '../../formats/picture/picture.ts';
import { pictureHeader } from '../../formats/picture/picture-scan.ts';
import {
  type OpenPicture,
  type PictureBox,
  type PictureLevel,
  type PictureSamples,
  samplesOf,
} from '../../formats/picture/picture-types.ts';
import { notesOf } from '../../formats/scan-notes.ts';
import { ImagingError } from '../../volume/errors.ts';
import {
  type ChannelStatistics,
  type IntensityMap,
  intensityMapOf,
  needsStatistics,
  StatisticsCounter,
} from '../../volume/normalization.ts';
import { canonicalGrid } from '../../volume/orientation.ts';
import { checkPlausible } from '../../volume/plausible.ts';
import { normalizationsOf, type PreparedGeometry, type PrepareOptions } from '../../volume/prepared-case.ts';
import type { ScanHeader } from '../../volume/scan-types.ts';
import { voxelCount } from '../../volume/volume.ts';
import { boxShape, type VoxelBox } from '../../volume/voxel-source.ts';
import { preparedGeometry } from '../prepared-grid.ts';
import { voteLabels } from '../resample-labels.ts';
import { type AxisTaps, axisTaps, PlaneResampler, sliceTaps, tapsReach } from '../resample-taps.ts';

/** Pixels of a level that are in memory at a time, at most, but for one row of what they become. */
const pixelsAtOnce = 2 ** 22;

/** A channel of a case, and which channel of its picture it is. */
interface Channel {
  readonly picture: OpenPicture;
  readonly channel: number;
  readonly slope: number;
}

/** A part of a prepared picture: the box, and its numbers in one channel, not normalised. */
type TakePart = (part: VoxelBox, channel: number, values: Float32Array) => void | Promise<void>;

/**
 * A case whose image is a picture, or a picture for each channel. It is read a box at a time from the smallest level that has all
 * of what is asked for, and resampled from there; nobody holds the whole.
 */
export class PictureCase {
  readonly geometry: PreparedGeometry;
  readonly notes: readonly string[];
  private readonly entry: Case;
  private readonly channels: readonly Channel[];
  private readonly level: number;
  private readonly taps: readonly [rows: AxisTaps, columns: AxisTaps];
  private last:
    | { readonly picture: OpenPicture; readonly key: string; readonly samples: PictureSamples }
    | undefined;

  private constructor(
    entry: Case,
    channels: readonly Channel[],
    geometry: PreparedGeometry,
    notes: readonly string[],
  ) {
    [this.entry, this.channels, this.geometry, this.notes] = [entry, channels, geometry, notes];
    const [, rows, columns] = geometry.filled;
    const { levels } = channels[0].picture;
    const isInAll = (size: PictureLevel, n: number): boolean =>
      channels.every(
        ({ picture }) => picture.levels[n]?.height === size.height && picture.levels[n].width === size.width,
      );
    const last = levels.findLastIndex(
      (size, n) => size.height >= rows && size.width >= columns && isInAll(size, n),
    );
    this.level = Math.max(0, last);
    const { height, width } = levels[this.level];
    this.taps = [axisTaps(height, rows), axisTaps(width, columns)];
  }

  /**
   * Reads the headers. `keep`: bytes of unpacked tiles that stay in memory. Throws ImagingError as openScan does, for channels that
   * do not fit the options or each other, and for options that are not for pictures.
   */
  static async open(entry: Case, options: PrepareOptions, keep?: number): Promise<PictureCase> {
    checkChannelCount(entry, normalizationsOf(options).length);
    const opened = new Map<string, { readonly picture: OpenPicture; readonly header: ScanHeader }>();
    const channels: Channel[] = [];
    let first: ScanHeader | undefined;
    for (const [n, { file, volume = 0, volumes = 1 }] of channelFiles(entry).entries()) {
      const known = opened.get(file) ?? (await openWhole(file, keep));
      opened.set(file, known);
      const { picture, header } = known;
      if (picture.channels !== volumes) refuseChannels(picture, volumes);
      first ??= header;
      checkSameGrid(entry, n, header, first);
      channels.push({ picture, channel: volume, slope: header.slope });
    }
    const geometry = preparedGeometry(entry.id, first!, { ...options, plane: true });
    if (geometry.filled[0] !== 1)
      throw new ImagingError({
        file: entry.image,
        field: 'size',
        expected: 'one of rows and columns, for a picture',
        found: `depth x height x width ${geometry.filled.join(' x ')}`,
        hint: 'Give the microns of a pixel (--mpp), or --plane with a size.',
      });
    const notes = [...new Set([...opened.values()].flatMap(({ header }) => notesOf(header)))];
    return new PictureCase(entry, channels, geometry, notes);
  }

  /** The type that holds the values of a channel as they are in its file; float32 where they are scaled or resampled. */
  get storedType(): '|u1' | '<f4' {
    return this.isSame && this.channels.every(({ picture }) => picture.type === 'uint8') ? '|u1' : '<f4';
  }

  /** Hands over a box of what the picture fills, part by part from the top, of each part the channels in their order. */
  async read(box: VoxelBox, channels: readonly number[], take: TakePart): Promise<void> {
    for (const part of this.partsOf(box)) {
      const [rows, columns] = this.tapsOf(part);
      const within = this.levelBox(part);
      const resampler = new PlaneResampler(rows, columns);
      for (const channel of channels) {
        const plane = await this.plane(within, this.channels[channel]);
        const out = this.isSame ? plane : new Float32Array(rows.outSize * columns.outSize);
        if (!this.isSame) resampler.resample(plane, out);
        await take(part, channel, out);
      }
    }
  }

  /** What is known of all pixels of each channel at the level that they are read from. */
  async statistics(): Promise<readonly ChannelStatistics[]> {
    const { height, width, tileHeight } = this.channels[0].picture.levels[this.level];
    const counters = this.channels.map(() => new StatisticsCounter());
    const step = Math.max(1, Math.floor(pixelsAtOnce / width));
    const rows = step > tileHeight ? step - (step % tileHeight) : step;
    for (let row0 = 0; row0 < height; row0 += rows) {
      const box = { row0, row1: Math.min(row0 + rows, height), column0: 0, column1: width };
      for (const [n, channel] of this.channels.entries()) counters[n].take(await this.plane(box, channel));
    }
    return counters.map((counter) => counter.statistics());
  }

  /** How each channel is normalised; reads all pixels where that needs their statistics. */
  async maps(options: PrepareOptions): Promise<readonly IntensityMap[]> {
    const normalizations = normalizationsOf(options);
    const statistics = normalizations.some(needsStatistics) ? await this.statistics() : [];
    return normalizations.map((one, channel) => intensityMapOf(one, statistics[channel]));
  }

  /** The labels of a box of what the picture fills. Classes vote as in resampleLabels, and those that lose all their pixels are lost. */
  async labels(box: VoxelBox): Promise<Uint8Array> {
    const { label, labelNames, labelCodes } = this.entry;
    const grid = canonicalGrid(this.geometry.original);
    const [, height, width] = grid.shape;
    const [, filledRows, filledColumns] = this.geometry.filled;
    const read = (part: VoxelBox) => loadLabelBox(label!, grid, part, labelNames, labelCodes);
    if (height === filledRows && width === filledColumns) return read(box);
    const [rowTaps, columnTaps] = [axisTaps(height, filledRows), axisTaps(width, filledColumns)];
    const labels = new Uint8Array(voxelCount(boxShape(box)));
    const across = box.end[2] - box.start[2];
    for (const part of this.partsOf(box, [rowTaps, columnTaps])) {
      const { start, end } = reach(part, rowTaps, columnTaps);
      const data = await read({ start, end });
      const shape = boxShape({ start, end });
      const rows = sliceTaps(rowTaps, part.start[1], part.end[1], [start[1], end[1]]);
      const columns = sliceTaps(columnTaps, part.start[2], part.end[2], [start[2], end[2]]);
      const at = (part.start[1] - box.start[1]) * across;
      const out = labels.subarray(at, at + rows.outSize * across);
      voteLabels({ data, shape }, [axisTaps(1, 1), rows, columns], out);
    }
    return labels;
  }

  private get isSame(): boolean {
    return this.taps.every(({ inSize, outSize }) => inSize === outSize);
  }

  /** Parts of a box, of whole rows, that read not too many pixels each. */
  private *partsOf({ start, end }: VoxelBox, [rows, columns] = this.taps): Generator<VoxelBox> {
    if (end[1] <= start[1] || end[2] <= start[2]) return;
    const [from, to] = tapsReach(columns, start[2], end[2]);
    const perRow = Math.max(1, rows.inSize / rows.outSize) * (to - from);
    const step = Math.max(1, Math.floor(pixelsAtOnce / perRow));
    for (let row = start[1]; row < end[1]; row += step)
      yield { start: [0, row, start[2]], end: [1, Math.min(row + step, end[1]), end[2]] };
  }

  private tapsOf({ start, end }: VoxelBox): readonly [AxisTaps, AxisTaps] {
    const [rows, columns] = this.taps;
    return [
      sliceTaps(rows, start[1], end[1], tapsReach(rows, start[1], end[1])),
      sliceTaps(columns, start[2], end[2], tapsReach(columns, start[2], end[2])),
    ];
  }

  private levelBox({ start, end }: VoxelBox): PictureBox {
    const [row0, row1] = tapsReach(this.taps[0], start[1], end[1]);
    const [column0, column1] = tapsReach(this.taps[1], start[2], end[2]);
    return { row0, row1, column0, column1 };
  }

  /** The values of a channel in a box of the level; the samples of all channels stay until another box is asked for. */
  private async plane(box: PictureBox, { picture, channel, slope }: Channel): Promise<Float32Array> {
    const pixels = (box.row1 - box.row0) * (box.column1 - box.column0);
    const key = Object.values(box).join();
    if (this.last?.picture !== picture || this.last.key !== key) {
      const samples = samplesOf(picture.type, pixels * picture.channels);
      await picture.read(this.level, box, samples);
      this.last = { picture, key, samples };
    }
    const { samples } = this.last;
    const plane = new Float32Array(pixels);
    const step = picture.channels;
    for (let n = 0; n < pixels; n++) plane[n] = samples[n * step + channel] * slope;
    return plane;
  }
}

/** What a box of resampled labels reads. */
function reach({ start, end }: VoxelBox, rows: AxisTaps, columns: AxisTaps): VoxelBox {
  const [row0, row1] = tapsReach(rows, start[1], end[1]);
  const [column0, column1] = tapsReach(columns, start[2], end[2]);
  return { start: [0, row0, column0], end: [1, row1, column1] };
}

async function openWhole(
  file: string,
  keep: number | undefined,
): Promise<{ readonly picture: OpenPicture; readonly header: ScanHeader }> {
  const picture = await openPicture(diskFiles, file, {}, keep);
  if (picture === undefined)
    throw new ImagingError({
      file,
      field: 'path',
      expected: 'a picture, as its name says: PNG, JPEG or TIFF',
      found: 'another file',
      hint: 'Name files of other formats with their own endings.',
    });
  const header = pictureHeader(picture, false);
  checkPlausible(header);
  return { picture, header };
}

function refuseChannels({ file, channels }: OpenPicture, wanted: number): never {
  throw new ImagingError({
    file,
    field: 'channels',
    expected: `${wanted}, as other pictures of its data set have`,
    found: `${channels}`,
    hint: 'Convert it to the colours of the others.',
  });
}
