import type { Case } from '../../dataset/dataset.ts';
import { putBox } from '../../volume/box-copy.ts';
import { ClassCounter, factsOfChannels } from '../../volume/class-counter.ts';
import { type IntensityMap, rangesOf } from '../../volume/normalization.ts';
import type { PrepareOptions } from '../../volume/prepared-case.ts';
import { voxelCount } from '../../volume/volume.ts';
import { boxShape, type ClassFacts, type VoxelBox, type VoxelSource } from '../../volume/voxel-source.ts';
import { PictureCase } from './picture-case.ts';
import { readInto, within } from './picture-source.ts';

/** Pixels that are read at once to count classes. */
const pixelsAtOnce = 2 ** 20;

/** What all pixels of a picture say, once they were read. */
export interface PictureStatistics {
  readonly maps: readonly IntensityMap[];
  /** Of its label map, where it has one. */
  readonly classes?: readonly ClassFacts[];
}

/**
 * Opens the picture of a case, with its label map, for training: boxes of both are read as they are asked for, by the tiles that hold them, of
 * which `keep` bytes stay, with the numbers that {@link loadCase} gives. Reads all pixels once, unless what they say is `known` from before.
 * Throws ImagingError as openScan does, and for the first label that is none.
 */
export async function openPictureCase(
  entry: Case,
  options: PrepareOptions,
  keep: number,
  known?: PictureStatistics,
): Promise<{ readonly source: VoxelSource; readonly statistics: PictureStatistics }> {
  const picture = await PictureCase.open(entry, options, keep);
  const { shape, filled } = picture.geometry;
  const maps = known?.maps ?? (await picture.maps(options));
  const image = async (box: VoxelBox, channel = 0): Promise<Float32Array> => {
    const out = new Float32Array(voxelCount(boxShape(box)));
    if (box.start[0] >= filled[0]) return out.fill(maps[channel].range.outside);
    await readInto(picture, box, [channel], maps, () => out);
    return out;
  };
  const labels = async (box: VoxelBox): Promise<Uint8Array> => {
    if (entry.label === undefined) throw new RangeError(`case ${entry.id} has no labels`);
    const inside = within(box, filled);
    const [size, part] = [boxShape(box), boxShape(inside)];
    // Beyond the picture lies background.
    if (voxelCount(part) === 0) return new Uint8Array(voxelCount(size));
    const found = await picture.labels(inside);
    if (voxelCount(part) === voxelCount(size)) return found;
    const out = new Uint8Array(voxelCount(size));
    putBox(out, size, { start: [0, 0, 0], end: part }, found);
    return out;
  };
  const classes =
    entry.label === undefined
      ? undefined
      : (known?.classes ?? (await classesOf({ image, labels }, shape, maps.length, entry.labelNames)));
  const ranges = rangesOf(maps.map(({ range }) => range));
  return {
    source: { id: entry.id, shape, channels: maps.length, ...ranges, classes, image, labels },
    statistics: { maps, classes },
  };
}

/** The facts on all classes, in the order in which whole volumes give them. */
async function classesOf(
  { image, labels }: Pick<VoxelSource, 'image' | 'labels'>,
  shape: VoxelSource['shape'],
  channels: number,
  names: readonly string[] | undefined,
): Promise<readonly ClassFacts[]> {
  const counters = Array.from({ length: channels }, () => new ClassCounter());
  const [depth, height, width] = shape;
  const rows = Math.max(1, Math.floor(pixelsAtOnce / width));
  for (let k = 0; k < depth; k++)
    for (let row = 0; row < height; row += rows) {
      const box: VoxelBox = { start: [k, row, 0], end: [k + 1, Math.min(row + rows, height), width] };
      const found = await labels(box);
      for (const [channel, counter] of counters.entries()) counter.add(await image(box, channel), found);
    }
  return factsOfChannels(counters, names?.length);
}
