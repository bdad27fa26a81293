import { type IntensityRange, windowRange } from '../volume/normalization.ts';
import { type Shape3, voxelCount } from '../volume/volume.ts';
import {
  boxShape,
  type ClassFacts,
  channelOf,
  type VoxelBox,
  type VoxelSource,
  wholeBox,
} from '../volume/voxel-source.ts';
import type { AugmentConfig } from './augment-config.ts';
import { type AugmentKey, type Changes, drawChanges } from './augment-draw.ts';
import { changeIntensities } from './augment-intensity.ts';
import { cellsOf, type LesionPlan, paintLesions, planLesions } from './augment-lesions.ts';
import { readBox } from './augment-map.ts';
import { moveVoxels, type Voxels } from './augment-space.ts';

export {
  type AugmentConfig,
  mildAugmentation,
  noAugmentation,
  paperAugmentation,
  pathologyAugmentation,
  strongAugmentation,
} from './augment-config.ts';
export type { AugmentKey } from './augment-draw.ts';

/** Arrays of a box's size that the changed voxels may be written to, whatever they hold. */
export interface SampleArrays {
  readonly image: Float32Array;
  readonly labels: Uint8Array;
}

/** How augmentBox goes about it. */
export interface AugmentOptions {
  /** Voxels of the source that are read at once at most; 2^25 by default. */
  readonly most?: number;
  /** Channel of the image; the first by default. */
  readonly channel?: number;
  /** Voxels move, and intensities stay as they are. */
  readonly placesOnly?: boolean;
  /** What is changed is written there, else into new arrays. */
  readonly into?: SampleArrays;
}

/** Voxels that are read at once, beside what is made of them: 160 MiB of image and labels. */
const readVoxels = 2 ** 25;

/**
 * A box of a randomly changed case, all of it by default, [depth, height, width] of the box: see AugmentConfig. Draws depend on the
 * key alone, and a box has the bits of the whole there, so the ranks of any mesh, each for its own box, see one and the same sample.
 * The image is one channel of the source; it stays within its range, 0..1 under a window, and what moves in from outside is air and
 * background. Voxels move alike in all channels, and intensities change in each by draws of its own.
 *
 * Of the source is read what the box needs: itself where voxels stay in place, its mirror image under flips, and under other
 * maps the hull of where its voxels come from, in parts. Fake lesions need the source's `classes`, and once for each source and
 * process a look at all its labels, slab by slab. Never writes to arrays of the source, but gives those on that no change touched.
 */
export async function augmentBox(
  source: VoxelSource,
  config: AugmentConfig,
  key: AugmentKey,
  box: VoxelBox = wholeBox(source.shape),
  { most = readVoxels, channel = 0, into, placesOnly = false }: AugmentOptions = {},
): Promise<{ readonly image: Float32Array; readonly labels?: Uint8Array }> {
  const { shape } = source;
  const range = source.ranges?.[channel] ?? windowRange;
  const changes = drawChanges(config, key, shape, channel);
  const lesions = await lesionsOf(source, changes, channel);
  const whole: Voxels | undefined = source.whole && {
    box: wholeBox(shape),
    image: channelOf(source.whole.image, shape, channel),
    labels: source.whole.labels,
  };
  const read = async (part: VoxelBox): Promise<Voxels> => {
    // A part whose voxels all come from outside reads nothing.
    if (voxelCount(boxShape(part)) === 0)
      return { box: part, image: new Float32Array(0), labels: new Uint8Array(0) };
    const [image, labels] = await Promise.all([
      source.image(part, channel),
      source.classes && source.labels(part),
    ]);
    return { box: part, image, labels };
  };
  const voxels = voxelCount(boxShape(box));
  if (changes.map === undefined && lesions === undefined) {
    const { image, labels } = whole !== undefined && voxels === voxelCount(shape) ? whole : await read(box);
    if (placesOnly || !changesIntensities(changes)) return { image, labels };
    const changed = into?.image ?? new Float32Array(voxels);
    changed.set(image);
    changeIntensities({ box, image: changed, labels }, shape, changes, range);
    return { image: changed, labels };
  }
  const labelled = whole === undefined ? source.classes !== undefined : whole.labels !== undefined;
  const out: Voxels = {
    box,
    image: into?.image ?? new Float32Array(voxels),
    labels: labelled ? (into?.labels ?? new Uint8Array(voxels)) : undefined,
  };
  for (const part of partsOf(changes, box, most))
    movePart(whole ?? (await read(readBoxOf(changes, part))), changes, lesions, shape, part, out, range);
  if (!placesOnly) changeIntensities(out, shape, changes, range);
  return { image: out.image, labels: out.labels };
}

/** Changes the intensities of a box of a channel in place, as {@link augmentBox} does once voxels are in place. */
export function augmentIntensities(
  voxels: Voxels,
  { shape, ranges }: Pick<VoxelSource, 'shape' | 'ranges'>,
  config: AugmentConfig,
  key: AugmentKey,
  channel: number,
): void {
  const changes = drawChanges(config, key, shape, channel);
  if (changesIntensities(changes))
    changeIntensities(voxels, shape, changes, ranges?.[channel] ?? windowRange);
}

function changesIntensities({ classFactors, gamma, gain, noises, corruption }: Changes): boolean {
  return [classFactors, gamma, gain, corruption].some((change) => change !== undefined) || noises.length > 0;
}

function hasBoth(classes: readonly ClassFacts[], { organ, lesion }: Changes): boolean {
  return [organ, lesion].every((label) => (classes[label]?.count ?? 0) > 0);
}

async function lesionsOf(
  source: VoxelSource,
  changes: Changes,
  channel: number,
): Promise<LesionPlan | undefined> {
  const { organ, lesion, fakeLesions: key } = changes;
  if (key === undefined) return undefined;
  const { classes } = source;
  if (classes === undefined || !hasBoth(classes, changes)) return undefined;
  return planLesions(await cellsOf(source, organ, lesion), classes, { organ, lesion, key }, channel);
}

function readBoxOf({ map }: Changes, box: VoxelBox): VoxelBox {
  return map === undefined ? box : readBox(map, box);
}

/** A box in parts that each read at most so many voxels; halves of halves along the longest axis. */
function partsOf(changes: Changes, box: VoxelBox, most: number): VoxelBox[] {
  const reads = voxelCount(boxShape(readBoxOf(changes, box)));
  const extents = boxShape(box);
  const longest = Math.max(...extents);
  if (reads <= most || longest === 1) return [box];
  const axis = extents.indexOf(longest);
  const middle = box.start[axis] + Math.floor(longest / 2);
  const cut = (corner: Shape3): Shape3 => corner.with(axis, middle) as unknown as Shape3;
  return [
    { start: box.start, end: cut(box.end) },
    { start: cut(box.start), end: box.end },
  ].flatMap((half) => partsOf(changes, half, most));
}

/** Makes a part of the output out of a box of the source: lesions, then places. */
function movePart(
  from: Voxels,
  changes: Changes,
  lesions: LesionPlan | undefined,
  shape: Shape3,
  part: VoxelBox,
  out: Voxels,
  range: IntensityRange,
): void {
  const map = changes.map ?? { shape, flips: [false, false, false], planes: [] };
  const moved = lesions ? painted(from, lesions, readBoxOf(changes, part), range) : from;
  moveVoxels(moved, map, part, out, range.outside);
}

/** A copy of the box with fake lesions. */
function painted(from: Voxels, lesions: LesionPlan, box: VoxelBox, { least, most }: IntensityRange): Voxels {
  const voxels = voxelCount(boxShape(box));
  const copy = { box, image: new Float32Array(voxels), labels: new Uint8Array(voxels) };
  moveVoxels(from, { shape: from.box.end, flips: [false, false, false], planes: [] }, box, copy);
  paintLesions(copy, lesions, least, most);
  return copy;
}
