import { ClassCounter } from '../volume/class-counter.ts';
import { type Shape3, voxelCount } from '../volume/volume.ts';
import {
  boxShape,
  type ClassFacts,
  type VoxelBox,
  type VoxelSource,
  wholeBox,
} from '../volume/voxel-source.ts';
import type { AugmentConfig } from './augment-config.ts';
import { type AugmentKey, type Changes, drawChanges } from './augment-draw.ts';
import { changeIntensities } from './augment-intensity.ts';
import {
  cellsOf,
  countLabels,
  emptyCells,
  type LesionPlan,
  paintLesions,
  planLesions,
} from './augment-lesions.ts';
import { readBox } from './augment-map.ts';
import { moveVoxels, type Voxels } from './augment-space.ts';

export {
  type AugmentConfig,
  mildAugmentation,
  noAugmentation,
  paperAugmentation,
  strongAugmentation,
} from './augment-config.ts';
export type { AugmentKey } from './augment-draw.ts';

/** What augmentation works on: a windowed image (0..1), its labels if it has any, [depth, height, width]. */
export interface Sample {
  readonly image: Float32Array;
  readonly labels?: Uint8Array;
  readonly shape: Shape3;
}

/** Arrays of a sample's size that a changed one may be written to. */
export interface SampleArrays {
  readonly image: Float32Array;
  readonly labels: Uint8Array;
}

/** Voxels that are read at once, beside what is made of them: 160 MiB of image and labels. */
const readVoxels = 2 ** 25;

/**
 * A box of a randomly changed case, [depth, height, width] of the box: exactly what `augment` of the whole case has there, so
 * that the ranks of any mesh, each for its own box, see one and the same sample. Draws depend on the key alone.
 *
 * Of the source is read what the box needs: itself where voxels stay in place, its mirror image under flips, and under other
 * maps the hull of where its voxels come from, in parts of at most `most` voxels (2^25 by default). Fake lesions need the
 * source's `classes`, and once for each source and process a look at all its labels, slab by slab. Never writes to
 * arrays of the source, but may give them on.
 */
export async function augmentBox(
  source: VoxelSource,
  config: AugmentConfig,
  key: AugmentKey,
  box: VoxelBox = wholeBox(source.shape),
  most = readVoxels,
): Promise<{ readonly image: Float32Array; readonly labels?: Uint8Array }> {
  const { shape, classes } = source;
  const changes = drawChanges(config, key, shape);
  const { organ, lesion } = changes;
  const lesions =
    changes.fakeLesions !== undefined && classes !== undefined && hasBoth(classes, changes)
      ? planLesions(await cellsOf(source, organ, lesion), classes, {
          organ,
          lesion,
          key: changes.fakeLesions,
        })
      : undefined;
  const read = (part: VoxelBox) =>
    Promise.all([source.image(part), classes === undefined ? undefined : source.labels(part)]);
  const moved = changes.map !== undefined || lesions !== undefined;
  if (!moved) {
    const [image, labels] = await read(box);
    if (!changesIntensities(changes)) return { image, labels };
    const out: Voxels = { box, image: image.slice(), labels };
    changeIntensities(out, shape, changes);
    return { image: out.image, labels };
  }
  const voxels = voxelCount(boxShape(box));
  const out: Voxels = {
    box,
    image: new Float32Array(voxels),
    labels: classes && new Uint8Array(voxels),
  };
  for (const part of partsOf(changes, box, most)) {
    const reads = readBoxOf(changes, part);
    if (voxelCount(boxShape(reads)) === 0) continue;
    const [image, labels] = await read(reads);
    movePart({ box: reads, image, labels }, changes, lesions, shape, part, out);
  }
  changeIntensities(out, shape, changes);
  return { image: out.image, labels: out.labels };
}

/**
 * A randomly changed sample of the same shape: see AugmentConfig. The same key gives the same sample, bit for bit.
 * Never writes into the given arrays; the result may share those that no change touched. The image stays within 0..1; what moves
 * in from outside is 0 (air, background). What is changed is written into `into` where it is given, else into new arrays.
 */
export function augment(sample: Sample, config: AugmentConfig, key: AugmentKey, into?: SampleArrays): Sample {
  const { shape, image, labels } = sample;
  const changes = drawChanges(config, key, shape);
  const lesions = lesionsOf(sample, changes);
  if (lesions === undefined && !changes.map && !changesIntensities(changes)) return sample;
  const box = wholeBox(shape);
  const changed = into?.image ?? new Float32Array(image.length);
  const moved = changes.map !== undefined || lesions !== undefined;
  const out: Voxels = {
    box,
    image: changed,
    labels: labels && moved ? (into?.labels ?? new Uint8Array(labels.length)) : labels,
  };
  const whole: Voxels = { box, image, labels };
  if (!moved) changed.set(image);
  else
    for (const part of partsOf(changes, box, readVoxels)) movePart(whole, changes, lesions, shape, part, out);
  changeIntensities(out, shape, changes);
  return { image: changed, labels: out.labels, shape };
}

function changesIntensities({ classFactors, gamma, gain, noises, corruption }: Changes): boolean {
  return [classFactors, gamma, gain, corruption].some((change) => change !== undefined) || noises.length > 0;
}

function hasBoth(classes: readonly ClassFacts[], { organ, lesion }: Changes): boolean {
  return [organ, lesion].every((label) => (classes[label]?.count ?? 0) > 0);
}

function lesionsOf({ image, labels, shape }: Sample, changes: Changes): LesionPlan | undefined {
  const { organ, lesion, fakeLesions: key } = changes;
  if (key === undefined || labels === undefined) return undefined;
  const counter = new ClassCounter();
  counter.add(image, labels);
  const classes = counter.facts();
  if (!hasBoth(classes, changes)) return undefined;
  const cells = emptyCells(shape);
  countLabels(cells, labels, wholeBox(shape), organ, lesion);
  return planLesions(cells, classes, { organ, lesion, key });
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
): void {
  const map = changes.map ?? { shape, flips: [false, false, false], planes: [] };
  moveVoxels(lesions ? painted(from, lesions, readBoxOf(changes, part)) : from, map, part, out);
}

/** A copy of the box with fake lesions. */
function painted(from: Voxels, lesions: LesionPlan, box: VoxelBox): Voxels {
  const voxels = voxelCount(boxShape(box));
  const copy = { box, image: new Float32Array(voxels), labels: new Uint8Array(voxels) };
  moveVoxels(from, { shape: from.box.end, flips: [false, false, false], planes: [] }, box, copy);
  paintLesions(copy, lesions);
  return copy;
}
