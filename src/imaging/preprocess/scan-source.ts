import {
  channelFiles,
  checkChannelCount,
  checkSameGrid,
  readChannelHeader,
  readChannelSlabs,
} from '../dataset/channels.ts';
import type { Case } from '../dataset/dataset.ts';
import { isPictureName } from '../formats/picture/picture-grid.ts';
import { notesOf } from '../formats/scan-notes.ts';
import { ChunkCache } from '../store/chunk-cache.ts';
import { isZarr } from '../store/format.ts';
import { StoredCase } from '../store/stored-case.ts';
import { ImagingError } from '../volume/errors.ts';
import { normalizationsOf, type PreparedGeometry, type PrepareOptions } from '../volume/prepared-case.ts';
import type { ScanHeader, SlabSink } from '../volume/scan-types.ts';
import type { UprightGrid } from '../volume/tilt/upright.ts';
import type { Grid } from '../volume/volume.ts';
import { compactArray } from '../volume/voxel-decoder.ts';
import type { VoxelBox } from '../volume/voxel-source.ts';
import { holdScan, type ScanSource } from './held-scan.ts';
import { preparedGeometry } from './preprocess.ts';

export type { ScanSource } from './held-scan.ts';

/** What a scan will be once it is prepared: from its header alone. */
export interface ScanPlan {
  readonly geometry: PreparedGeometry;
  /** Bytes of a voxel of all channels of the file in memory; 0 for a case of a store or a picture, of which a few chunks or tiles are kept. */
  readonly voxelBytes: number;
  /** The grid of its file with what that says of it, for files on the same grid. */
  readonly original: Grid;
  /** How the scan lay before it was resampled upright; absent where it was not. */
  readonly upright?: UprightGrid;
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
  if (isPictureName(channelFiles(entry)[0].file)) {
    const { geometry, notes } = await (await import('./picture/picture-case.ts')).PictureCase.open(
      entry,
      options,
    );
    return { geometry, voxelBytes: 0, original: geometry.original, notes };
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
  const { stored, upright } = first;
  const original: Grid = { ...geometry.original, ...(stored && { stored }) };
  const notes = [...new Set(headers.flatMap(notesOf))];
  return { geometry, voxelBytes, original, ...(upright && { upright }), notes };
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
 * {@link loadCase} gives. A case of a store, or a picture, is read as its boxes are asked for, by the chunks or tiles that hold them, of which
 * memory keeps as many bytes as `chunks` may hold.
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
  if (isPictureName(channelFiles(entry)[0].file))
    return (await import('./picture/picture-source.ts')).openPictureSource(entry, options, chunks.limitBytes);
  checkChannelCount(entry, normalizationsOf(options).length);
  const channels = {
    id,
    file: (channel: number) => channelFiles(entry)[channel].file,
    read: <T>(channel: number, begin: (header: ScanHeader) => SlabSink<T>) =>
      readChannelSlabs(entry, channel, begin),
  };
  return holdScan(channels, options, part);
}
