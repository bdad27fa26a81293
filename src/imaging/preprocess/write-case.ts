import path from 'node:path';
import { channelFiles, checkChannelCount, checkSameGrid, readChannelSlabs } from '../dataset/channels.ts';
import type { Case } from '../dataset/dataset.ts';
import { loadLabels } from '../dataset/labels.ts';
import { isPictureName } from '../formats/picture/picture-grid.ts';
import {
  type CaseDescription,
  imageOf,
  LABELS,
  ORIGINAL_LABELS,
  type StoreOptions,
} from '../store/format.ts';
import { createZarr } from '../store/zarr-array.ts';
import type { ClassCounter } from '../volume/class-counter.ts';
import { IntensitySample } from '../volume/clipped-share.ts';
import type { IntensityWindow } from '../volume/intensity-window.ts';
import {
  type ChannelStatistics,
  type IntensityMap,
  intensityMapOf,
  normalize,
  StatisticsCounter,
} from '../volume/normalization.ts';
import { canonicalGrid } from '../volume/orientation.ts';
import type { Grid, Volume, VoxelArray } from '../volume/volume.ts';
import { compactArray } from '../volume/voxel-decoder.ts';
import { boxShape } from '../volume/voxel-source.ts';
import {
  type CaseTask,
  type Counted,
  countedWays,
  describeCase,
  type MadeChannel,
  mkdirWithGroup,
} from './case-description.ts';
import { type HeldChannel, holdChannel, keepsVoxels, planesOf } from './held-channel.ts';
import { LayerWriter, writeWhole } from './layer-writer.ts';
import { preparedGrid } from './preprocess.ts';
import { resampleLabels } from './resample-labels.ts';

/**
 * Prepares a case and writes it into a new folder. Holds one channel in the type of its file and the labels, and beside them a
 * layer of chunks. Throws ImagingError for files that cannot be used, StoreWriteError where the folder cannot be written.
 */
export async function writeStoredCase(task: CaseTask, signal?: AbortSignal): Promise<void> {
  const { entry, folder, options, normalizations } = task;
  if (isPictureName(channelFiles(entry)[0].file))
    return (await import('./picture/write-picture.ts')).writeStoredPicture(task, signal);
  checkChannelCount(entry, normalizations.length);
  const place = (name: string) => path.join(folder, name);
  let made: MadeChannel | undefined;
  const channels: NonNullable<CaseDescription['channels']> = [];
  let ways: Counted[] = [];
  let truth: Volume<Uint8Array> | undefined;
  let labels: Volume<Uint8Array> | undefined;
  for (const channel of normalizations.keys()) {
    const read = await readHeld(entry, channel, options);
    made ??= { original: read.original, grid: preparedGrid(read.original, options) };
    checkSameGrid(entry, channel, read.original, made.original);
    const { grid, original } = made;
    const { scan, statistics } = read;
    // Of several channels those that a window is for by default.
    const cut = normalizations.length === 1 || normalizations[channel].kind === 'window';
    const window = cut ? options.window : undefined;
    if (window !== undefined) checkCut(entry, channel, scan, window);
    if (channel === 0) {
      truth =
        entry.label === undefined
          ? undefined
          : await loadLabels(entry.label, canonicalGrid(original), entry.labelNames, entry.labelCodes);
      labels = truth && resampleLabels(truth, { shape: grid.shape });
      ways = labels === undefined ? [] : countedWays(normalizations, options.window);
      await mkdirWithGroup(folder);
    }
    const counting = ways.map((way) => ({
      map: intensityMapOf(way.normalizations[channel], statistics),
      counter: way.counters[channel],
    }));
    await writeChannel(place(imageOf(channel)), scan, {
      window,
      labels: labels?.data,
      counting,
      signal,
    });
    channels.push({ statistics, ...(window && { window }) });
  }
  const { grid, original } = made!;
  if (labels) await writeWhole(await createZarr(place(LABELS), grid.shape, '|u1'), labels.data, signal);
  if (truth && grid.shape.some((n, axis) => n !== truth.shape[axis]))
    await writeWhole(await createZarr(place(ORIGINAL_LABELS), truth.shape, '|u1'), truth.data, signal);
  await describeCase(task, { original, grid, channels, ...(labels && { ways }) });
}

/** Throws ImagingError where a window does not show a channel: what it cuts off is lost. */
function checkCut(entry: Case, channel: number, scan: HeldChannel, window: IntensityWindow): void {
  const sample = new IntensitySample(scan.voxels.length, boxShape(scan.held)[2]);
  sample.take(scan.voxels);
  sample.check(window, { file: channelFiles(entry)[channel].file, id: entry.id });
}

/** Writes a channel at the shape of the store, a layer of chunks at a time, and counts what the labels cover. */
async function writeChannel(
  folder: string,
  scan: HeldChannel,
  {
    window,
    labels,
    counting,
    signal,
  }: {
    readonly window?: IntensityWindow;
    readonly labels?: Uint8Array;
    readonly counting: readonly { readonly map: IntensityMap; readonly counter: ClassCounter }[];
    readonly signal?: AbortSignal;
  },
): Promise<void> {
  const shape = scan.filled;
  const same = keepsVoxels(scan);
  const limits = window && limitsOf(window);
  const image = await createZarr(folder, shape, same && isWhole(scan.voxels, limits) ? '<i2' : '<f4');
  const plane = shape[1] * shape[2];
  const normalized = new Float32Array(labels === undefined ? 0 : plane);
  let k = 0;
  const writer = new LayerWriter(image);
  for (const values of same ? planesAsTheyAre(scan) : planesOf(scan)) {
    signal?.throwIfAborted();
    if (labels) {
      const classes = labels.subarray(k * plane, ++k * plane);
      for (const { map, counter } of counting) counter.add(normalize(values, map, normalized), classes);
    }
    if (limits) limit(values, limits);
    await writer.add(values);
  }
}

/** A channel for the shape of a store, its statistics, and the grid of the file. */
async function readHeld(
  entry: Case,
  channel: number,
  options: StoreOptions,
): Promise<{ scan: HeldChannel; statistics: ChannelStatistics; original: Grid }> {
  return readChannelSlabs(entry, channel, (stored) => {
    const { shape } = preparedGrid(stored, options);
    const held = holdChannel(stored, shape, (count) => compactArray(stored, count));
    const counter = new StatisticsCounter();
    const original: Grid = { shape: stored.shape, affine: stored.affine };
    return {
      take(voxels, first) {
        counter.take(voxels);
        held.place(voxels, first);
      },
      end: () => ({ scan: held.channel, statistics: counter.statistics(), original }),
    };
  });
}

/** The planes of a channel that keeps its voxels; an array that is used again. */
function* planesAsTheyAre({ voxels, filled }: HeldChannel): Generator<Float32Array> {
  const plane = new Float32Array(filled[1] * filled[2]);
  for (let k = 0; k < filled[0]; k++) {
    plane.set(voxels.subarray(k * plane.length, (k + 1) * plane.length));
    yield plane;
  }
}

/**
 * What lies outside of the window gets the whole number next to it: it stays outside, so windowing gives the same bits, and air
 * becomes a constant that takes no room.
 */
function limitsOf({ lower, upper }: IntensityWindow): IntensityWindow {
  return { lower: Math.floor(lower) - 1, upper: Math.ceil(upper) + 1 };
}

function limit(hu: Float32Array, { lower, upper }: IntensityWindow): void {
  for (let n = 0; n < hu.length; n++) hu[n] = hu[n] < lower ? lower : hu[n] > upper ? upper : hu[n];
}

/** Whether int16 keeps all values, those within the limits where there are some. */
function isWhole(data: VoxelArray, limits: IntensityWindow | undefined): boolean {
  const { lower, upper } = limits ?? { lower: -Infinity, upper: Infinity };
  if (data.BYTES_PER_ELEMENT < 2 || data instanceof Int16Array)
    return limits === undefined || inInt16(limits);
  if (limits !== undefined && !inInt16(limits)) return false;
  for (let n = 0; n < data.length; n++) {
    const value = data[n] < lower ? lower : data[n] > upper ? upper : data[n];
    if (value !== Math.trunc(value) || value < -(2 ** 15) || value >= 2 ** 15) return false;
  }
  return true;
}

const inInt16 = ({ lower, upper }: IntensityWindow): boolean => lower >= -(2 ** 15) && upper < 2 ** 15;
