import { createHash } from 'node:crypto';
import { type ChannelledCase, readChannelSlabs } from '../dataset/channels.ts';
import { headerOfFile } from '../formats/picture/picture-grid.ts';
import { IntensitySample } from '../volume/clipped-share.ts';
import { isPictureFormat, type ScanHeader, type SlabSink } from '../volume/scan-types.ts';
import { voxelCount } from '../volume/volume.ts';

/** What is known of an image once all its voxels have been read. */
export interface ImageFacts {
  readonly header: ScanHeader;
  /** Smallest and largest finite value; infinite the wrong way round where there is none. */
  readonly lowest: number;
  readonly highest: number;
  /** NaN and infinite voxels: how many, and where the first is (depth, height, width). */
  readonly nonFinite: number;
  readonly firstNonFinite?: readonly number[];
  /** Of shape and values, the same for equal images of any format and type. */
  readonly hash: string;
  /** Some of its voxels, to tell what a window leaves of them. */
  readonly sample: IntensitySample;
}

/** Reads a channel of an image to its last byte, a few slices at a time. Throws ImagingError where it cannot be read. */
export function readImageFacts(entry: ChannelledCase, channel: number): Promise<ImageFacts> {
  const begin = (header: ScanHeader): SlabSink<ImageFacts> => {
    const [, , width] = header.shape;
    const hash = createHash('sha256').update(header.shape.join('x'));
    const sample = new IntensitySample(voxelCount(header.shape), width);
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    let nonFinite = 0;
    let firstNonFinite: readonly number[] | undefined;
    return {
      take(voxels, first) {
        sample.take(voxels);
        hash.update(new Uint8Array(voxels.buffer, voxels.byteOffset, voxels.byteLength));
        for (let n = 0; n < voxels.length; n++) {
          const value = voxels[n];
          if (!Number.isFinite(value)) {
            if (nonFinite++ === 0) firstNonFinite = voxelAt(header, n, first);
            continue;
          }
          if (value < lowest) lowest = value;
          if (value > highest) highest = value;
        }
      },
      end: () => ({
        ...{ header: headerOfFile(header), lowest, highest, nonFinite, firstNonFinite, sample },
        hash: hash.digest('hex'),
      }),
    };
  };
  return readChannelSlabs(entry, channel, begin, { as: 'float32', nonFinite: 'keep' });
}

/** (depth, height, width) of voxel n of a slab that begins at slice `first`, which of a picture is a row. */
export function voxelAt({ format, shape }: ScanHeader, n: number, first: number): readonly number[] {
  const [, height, width] = shape;
  const slice = first + Math.floor(n / (width * height));
  return isPictureFormat(format) ? [0, slice, n % width] : [slice, Math.floor(n / width) % height, n % width];
}
