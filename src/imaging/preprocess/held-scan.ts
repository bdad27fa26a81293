import { checkChannelGrid } from '../dataset/channel-grid.ts';
import { ImagingError } from '../volume/errors.ts';
import { type IntensityMap, type Normalization, rangesOf } from '../volume/normalization.ts';
import { normalizationsOf, type PreparedGeometry, type PrepareOptions } from '../volume/prepared-case.ts';
import type { ScanHeader, SlabSink } from '../volume/scan-types.ts';
import { voxelCount } from '../volume/volume.ts';
import { compactArray } from '../volume/voxel-decoder.ts';
import { boxShape, type VoxelBox, type VoxelSource, wholeBox } from '../volume/voxel-source.ts';
import { ChannelLook } from './channel-look.ts';
import { type HeldChannel, holdChannel, putNormalized } from './held-channel.ts';
import { preparedGeometry } from './prepared-grid.ts';

/** A scan that is prepared as its boxes are read. */
export interface ScanSource extends VoxelSource {
  readonly geometry: PreparedGeometry;
  /** Bytes of the part of the scan that lies in memory. */
  readonly bytes: number;
  /** What somebody should look at in its voxels: a window that does not show them. */
  readonly notes: readonly string[];
}

/** Where the channels of a scan come from, one for each normalisation. */
export interface ScanChannels {
  readonly id: string;
  /** The name of a channel's file, for errors. */
  file(channel: number): string;
  /** Reads a channel a few slices at a time. */
  read<T>(channel: number, begin: (header: ScanHeader) => SlabSink<T>): Promise<T>;
}

/**
 * Reads the part of a scan that a box of the prepared scan needs, all by default, in RAS+ order and the type of its file: nothing
 * of the size of the volume beside that. Boxes of it are resampled and normalised as they are asked for. Throws ImagingError where the
 * scan cannot be used.
 */
export async function holdScan(
  channels: ScanChannels,
  options: PrepareOptions = {},
  part?: VoxelBox,
): Promise<ScanSource> {
  const { id } = channels;
  const opened: OpenChannel[] = [];
  let first: ScanHeader | undefined;
  for (const [channel, normalization] of normalizationsOf(options).entries())
    opened.push(
      await channels.read(channel, (header) => {
        first ??= header;
        checkChannelGrid({ id, file: channels.file(channel), channel }, header, first);
        return channelSink(header, preparedGeometry(id, first, options), normalization, part);
      }),
    );
  const geometry = preparedGeometry(id, first!, options);
  return {
    ...{ id, shape: geometry.shape, geometry, channels: opened.length },
    ...rangesOf(opened.map(({ map }) => map.range)),
    bytes: opened.reduce((sum, { held }) => sum + held.voxels.byteLength, 0),
    notes: [...new Set(opened.flatMap(({ notes }) => notes))],
    image: async (box, channel = 0) => preparedBox(opened[channel], box),
    labels: async () => {
      throw new ImagingError({
        file: channels.file(0),
        field: 'labels',
        expected: 'a label map',
        found: 'a scan',
      });
    },
  };
}

/** A channel of a scan whose part lies in memory. */
interface OpenChannel {
  readonly held: HeldChannel;
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
  const { channel, place } = holdChannel(header, filled, (count) => compactArray(header, count), part);
  const look = new ChannelLook(normalization, header, true);
  return {
    take(slices, first) {
      look.take(slices);
      place(slices, first);
    },
    end: () => ({ held: channel, map: look.map(), notes: look.notes() }),
  };
}

/** The numbers of a box of a prepared channel. */
function preparedBox({ held, map }: OpenChannel, box: VoxelBox): Float32Array {
  const out = new Float32Array(voxelCount(boxShape(box)));
  putNormalized(held, map, box, out);
  return out;
}
