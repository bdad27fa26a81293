import {
  channelFiles,
  checkChannelCount,
  checkSameGrid,
  readChannelHeader,
  readChannelSlabs,
} from '../dataset/channels.ts';
import type { Case } from '../dataset/dataset.ts';
import { notesOf } from '../formats/scan-notes.ts';
import { ChunkCache } from '../store/chunk-cache.ts';
import { isZarr } from '../store/format.ts';
import { StoredCase } from '../store/stored-case.ts';
import { IntensitySample, troubleWith, windowText } from '../volume/clipped-share.ts';
import { ImagingError } from '../volume/errors.ts';
import type { IntensityWindow } from '../volume/intensity-window.ts';
import {
  type IntensityMap,
  intensityMapOf,
  type Normalization,
  needsStatistics,
  normalize,
  rangesOf,
  StatisticsCounter,
} from '../volume/normalization.ts';
import { boxPlacer, canonicalGrid } from '../volume/orientation.ts';
import { normalizationsOf, type PreparedGeometry, type PrepareOptions } from '../volume/prepared-case.ts';
import type { ScanHeader, SlabSink } from '../volume/scan-types.ts';
import { type Grid, type Shape3, type VoxelArray, voxelCount } from '../volume/volume.ts';
import { compactArray } from '../volume/voxel-decoder.ts';
import { boxShape, type VoxelBox, type VoxelSource, wholeBox } from '../volume/voxel-source.ts';
import { preparedGeometry } from './preprocess.ts';
import { resampledPlanes } from './resample.ts';
import { type AxisTaps, axisTaps, sliceTaps, tapsReach } from './resample-taps.ts';

/** A scan that is prepared as its boxes are read. */
export interface ScanSource extends VoxelSource {
  readonly geometry: PreparedGeometry;
  /** Bytes of the part of the scan that lies in memory. */
  readonly bytes: number;
  /** What somebody should look at in its voxels: a window that does not show them. */
  readonly notes: readonly string[];
}

/** What a scan will be once it is prepared: from its header alone. */
export interface ScanPlan {
  readonly geometry: PreparedGeometry;
  /** Bytes of a voxel of all channels of the file in memory; 0 for a case of a store, of which a few chunks are kept. */
  readonly voxelBytes: number;
  /** The grid of its file with what that says of it, for files on the same grid. */
  readonly original: Grid;
  /** What somebody should look at in its header. */
  readonly notes: readonly string[];
}

/**
 * Reads the headers of a scan of any format, or what a store says of a case. Throws ImagingError as openScan does, for channels that do
 * not fit the options or each other, and for options that contradict each other or the store.
 */
export async function planScan(entry: Case, options: PrepareOptions = {}): Promise<ScanPlan> {
  const { id, image } = entry;
  if (isZarr(image)) {
    const geometry = geometryOfStored(await openStored(entry, options, new ChunkCache(0)));
    return { geometry, voxelBytes: 0, original: geometry.original, notes: [] };
  }
  checkChannelCount(entry, normalizationsOf(options).length);
  const headers: ScanHeader[] = [];
  for (const channel of channelFiles(entry).keys()) {
    headers.push(await readChannelHeader(entry, channel));
    checkSameGrid(entry, channel, headers[channel], headers[0]);
  }
  const [first] = headers;
  const geometry = preparedGeometry(id, first, options);
  const voxelBytes = headers.reduce((sum, header) => sum + compactArray(header, 0).BYTES_PER_ELEMENT, 0);
  const { stored } = first;
  const original: Grid = { ...geometry.original, ...(stored && { stored }) };
  return { geometry, voxelBytes, original, notes: [...new Set(headers.flatMap(notesOf))] };
}

/** The image of a case of a store: its labels are on two grids, see `loadLabelBox`. */
function openStored({ id, image }: Case, options: PrepareOptions, cache: ChunkCache): Promise<StoredCase> {
  return StoredCase.open({ id, image }, options, cache);
}

function geometryOfStored({ id, shape, description }: StoredCase): PreparedGeometry {
  const { affine, original, filled } = description;
  return { id, shape, affine, original, filled };
}

/** Bytes of expanded chunks of a store that are kept by default. */
const CACHE_BYTES = 2 ** 27;

/**
 * Reads the part of a scan that a box of the prepared scan needs, all by default, in RAS+ order and the type of its file: nothing
 * of the size of the volume beside that. Boxes of it are resampled and normalised as they are asked for, with the bits that
 * {@link loadCase} gives. A case of a store is read as its boxes are asked for, by the chunks that hold them, which `chunks` keeps.
 * Throws ImagingError where the scan cannot be used.
 */
export async function openScanSource(
  entry: Case,
  options: PrepareOptions = {},
  part?: VoxelBox,
  chunks = new ChunkCache(CACHE_BYTES),
): Promise<ScanSource> {
  const { id, image } = entry;
  const noLabels = async (): Promise<never> => {
    throw new ImagingError({ file: image, field: 'labels', expected: 'a label map', found: 'a scan' });
  };
  if (isZarr(image)) {
    const stored = await openStored(entry, options, chunks);
    const geometry = geometryOfStored(stored);
    const { channels, ranges } = stored;
    return {
      ...{ id, shape: stored.shape, geometry, bytes: 0, notes: [], channels },
      ...(ranges && { ranges }),
      image: (box, channel) => stored.image(box, channel),
      labels: noLabels,
    };
  }
  const normalizations = normalizationsOf(options);
  checkChannelCount(entry, normalizations.length);
  const opened: OpenChannel[] = [];
  let first: ScanHeader | undefined;
  for (const [channel, normalization] of normalizations.entries())
    opened.push(
      await readChannelSlabs(entry, channel, (header) => {
        first ??= header;
        checkSameGrid(entry, channel, header, first);
        return channelSink(header, preparedGeometry(id, first, options), normalization, part);
      }),
    );
  const geometry = preparedGeometry(id, first!, options);
  return {
    ...{ id, shape: geometry.shape, geometry, channels: opened.length },
    ...rangesOf(opened.map(({ map }) => map.range)),
    bytes: opened.reduce((sum, { held }) => sum + held.voxels.byteLength, 0),
    notes: [...new Set(opened.flatMap(({ notes }) => notes))],
    image: async (box, channel = 0) => preparedBox(opened[channel], geometry, box),
    labels: noLabels,
  };
}

/** A channel of a scan whose part lies in memory. */
interface OpenChannel {
  readonly held: Held;
  readonly map: IntensityMap;
  readonly notes: readonly string[];
}

/** Takes a channel slice by slice and keeps what the part of the prepared scan needs of it. */
function channelSink(
  header: ScanHeader,
  { shape, filled }: PreparedGeometry,
  normalization: Normalization,
  part: VoxelBox = wholeBox(shape),
): SlabSink<OpenChannel> {
  const source = canonicalGrid(header).shape;
  const taps = source.map((n, axis) => axisTaps(n, filled[axis])) as unknown as Taps;
  const held = reached(taps, within(part, filled));
  const voxels = compactArray(header, voxelCount(boxShape(held)));
  const place = boxPlacer(header, held, voxels);
  const sample = new IntensitySample(voxelCount(header.shape), header.shape[2]);
  const counter = needsStatistics(normalization) ? new StatisticsCounter() : undefined;
  return {
    take(slices, first) {
      sample.take(slices);
      counter?.take(slices);
      place(slices, first);
    },
    end: () => ({
      held: { voxels, held, taps },
      map: intensityMapOf(normalization, counter?.statistics()),
      notes: normalization.kind === 'window' ? windowNotes(sample, normalization) : [],
    }),
  };
}

/** The numbers of a box of a prepared channel. */
function preparedBox({ held, map }: OpenChannel, { filled }: PreparedGeometry, box: VoxelBox): Float32Array {
  const out = new Float32Array(voxelCount(boxShape(box)));
  if (map.range.outside !== 0) out.fill(map.range.outside);
  const inside = within(box, filled);
  if (voxelCount(boxShape(inside)) === 0) return out;
  let k = inside.start[0];
  for (const plane of preparedPlanes(held, inside)) {
    normalize(plane, map, plane);
    putPlane(out, box, plane, inside, k++);
  }
  return out;
}

function windowNotes(sample: IntensitySample, window: IntensityWindow): readonly string[] {
  const share = sample.share(window);
  const trouble = share && troubleWith(share);
  return trouble === undefined ? [] : [`the window ${windowText(window)} of the network leaves ${trouble}`];
}

type Taps = readonly [AxisTaps, AxisTaps, AxisTaps];

/** Voxels of a box of a scan in RAS+ order, and how the prepared scan reads the whole one. */
interface Held {
  readonly voxels: VoxelArray;
  readonly held: VoxelBox;
  readonly taps: Taps;
}

/** The planes of a box of the prepared scan, before the window; an array that is used again. */
function preparedPlanes({ voxels, held, taps }: Held, box: VoxelBox): Iterable<Float32Array> {
  const need = reached(taps, box);
  const [, height, width] = boxShape(held);
  const [rows, columns] = [need.end[1] - need.start[1], need.end[2] - need.start[2]];
  const [k0, j0, i0] = need.start.map((at, axis) => at - held.start[axis]);
  const sliced = taps.map((axis, n) =>
    sliceTaps(axis, box.start[n], box.end[n], [need.start[n], need.end[n]]),
  ) as unknown as Taps;
  return resampledPlanes(sliced, (k, into) => {
    for (let j = 0; j < rows; j++) {
      const at = ((k + k0) * height + j + j0) * width + i0;
      into.set(voxels.subarray(at, at + columns), j * columns);
    }
  });
}

/** What a box of the prepared scan reads of the scan in RAS+ order. */
function reached(taps: Taps, { start, end }: VoxelBox): VoxelBox {
  const ranges = taps.map((axis, n) => (end[n] > start[n] ? tapsReach(axis, start[n], end[n]) : [0, 0]));
  const side = (n: 0 | 1): Shape3 => [ranges[0][n], ranges[1][n], ranges[2][n]];
  return { start: side(0), end: side(1) };
}

/** The part of a box that the scan fills: beyond it there is air. */
function within({ start, end }: VoxelBox, filled: Shape3): VoxelBox {
  const clip = (at: Shape3): Shape3 => [
    Math.min(at[0], filled[0]),
    Math.min(at[1], filled[1]),
    Math.min(at[2], filled[2]),
  ];
  return { start: clip(start), end: clip(end) };
}

/** Puts a plane k of the box `inside` where it belongs in the numbers of `box`. */
function putPlane(out: Float32Array, box: VoxelBox, plane: Float32Array, inside: VoxelBox, k: number): void {
  const [, height, width] = boxShape(box);
  const [, rows, columns] = boxShape(inside);
  for (let j = 0; j < rows; j++) {
    const to = ((k - box.start[0]) * height + j + inside.start[1] - box.start[1]) * width;
    out.set(plane.subarray(j * columns, (j + 1) * columns), to + inside.start[2] - box.start[2]);
  }
}
