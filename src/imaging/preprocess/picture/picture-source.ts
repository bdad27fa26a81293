import type { Case } from '../../dataset/dataset.ts';
import { putBox } from '../../volume/box-copy.ts';
import { ImagingError } from '../../volume/errors.ts';
import { type IntensityMap, normalize, rangesOf } from '../../volume/normalization.ts';
import type { PreparedCase, PrepareOptions } from '../../volume/prepared-case.ts';
import { type Shape3, voxelCount } from '../../volume/volume.ts';
import { boxShape, channelOf, type VoxelBox, wholeBox } from '../../volume/voxel-source.ts';
import type { ScanSource } from '../held-scan.ts';
import { recut } from '../prepared-grid.ts';
import { PictureCase } from './picture-case.ts';

/** Opens the picture of a case; boxes of it are read as they are asked for, by the tiles that hold them, of which `keep` bytes stay. */
export async function openPictureSource(
  entry: Case,
  options: PrepareOptions,
  keep?: number,
): Promise<ScanSource> {
  const picture = await PictureCase.open(entry, options, keep);
  const { geometry } = picture;
  const maps = await picture.maps(options);
  return {
    ...{ id: entry.id, shape: geometry.shape, geometry, bytes: 0, notes: [], channels: maps.length },
    ...rangesOf(maps.map(({ range }) => range)),
    async image(box, channel = 0) {
      const out = new Float32Array(voxelCount(boxShape(box)));
      await readInto(picture, box, [channel], maps, () => out);
      return out;
    },
    labels: async () => {
      throw new ImagingError({
        file: entry.image,
        field: 'labels',
        expected: 'a label map',
        found: 'a scan',
      });
    },
  };
}

/** A case whose image is a picture, whole; as {@link loadCase}. */
export async function loadPictureCase(
  entry: Case,
  options: PrepareOptions,
  spare?: Float32Array,
): Promise<PreparedCase> {
  const picture = await PictureCase.open(entry, options);
  const { geometry } = picture;
  const { shape, filled } = geometry;
  const maps = await picture.maps(options);
  const all = voxelCount(shape) * maps.length;
  const image = spare?.length === all ? spare.fill(0) : new Float32Array(all);
  const channels = [...maps.keys()];
  await readInto(picture, wholeBox(shape), channels, maps, (channel) => channelOf(image, shape, channel));
  const whole: PreparedCase = { ...geometry, image, ...rangesOf(maps.map(({ range }) => range)) };
  if (entry.label === undefined) return whole;
  return { ...whole, labels: recut(await picture.labels(wholeBox(filled)), filled, shape) };
}

/** Puts channels of a box, normalised, into arrays of its shape that are all 0; beyond the picture lies what is outside of it. */
export function readInto(
  picture: PictureCase,
  box: VoxelBox,
  channels: readonly number[],
  maps: readonly IntensityMap[],
  into: (channel: number) => Float32Array,
): Promise<void> {
  const shape = boxShape(box);
  for (const channel of channels) {
    const { outside } = maps[channel].range;
    if (outside !== 0) into(channel).fill(outside);
  }
  const inside = within(box, picture.geometry.filled);
  return picture.read(inside, channels, (part, channel, values) => {
    normalize(values, maps[channel], values);
    const shifted = (at: Shape3): Shape3 => [0, at[1] - box.start[1], at[2] - box.start[2]];
    const place = { start: shifted(part.start), end: shifted(part.end) };
    putBox(into(channel), shape, { start: place.start, end: [1, place.end[1], place.end[2]] }, values);
  });
}

/** The part of a box that the picture fills. */
export function within({ start, end }: VoxelBox, filled: Shape3): VoxelBox {
  const clip = (at: Shape3): Shape3 => [
    Math.min(at[0], filled[0]),
    Math.min(at[1], filled[1]),
    Math.min(at[2], filled[2]),
  ];
  return { start: clip(start), end: clip(end) };
}
