import {
  type Components,
  type Connectivity,
  checkLabels,
  connectedComponents,
  holes,
  labelSet,
  labelsAround,
  paintParts,
} from '../parts/components.ts';
import { ImagingError } from '../volume/errors.ts';
import { type Shape3, spacingOf, type VoxelSize, voxelVolume } from '../volume/volume.ts';
import { checkSpacing, type Distances, distancesTo } from './distance.ts';

/** A class, or several that are one thing here: a liver with its tumours is `[1, 2]`. */
export type Region = number | readonly number[];

/** How large a part of a class must be, in one of two units. */
export interface MinimumSize {
  readonly label: number;
  /** Smaller parts go. Give one of both. */
  readonly voxels?: number;
  /** Volume in mm^3: voxels times the volume of one. */
  readonly volume?: number;
}

/** Where a lesion can be. */
export interface Inside {
  readonly lesion: number;
  readonly organ: number;
  /**
   * `components` (default): a connected lesion stays whole if any of its voxels is in the organ, touches it by a face, edge or corner,
   * or lies within `margin` of it; else it goes whole. `voxels`: every lesion voxel that is neither in the organ nor within `margin`
   * of it goes.
   */
  readonly rule?: 'components' | 'voxels';
  /** mm between voxel centres; 0 by default. */
  readonly margin?: number;
}

/** What to do to a label map; steps run in the order of the keys here. What is absent is not done. */
export interface PostprocessOptions {
  /** Only the part of each region with most voxels stays (the first of several such); the rest becomes background. */
  readonly largest?: readonly Region[];
  /**
   * Holes are background voxels, joined by faces, that no path over faces leads out of to a face of the volume. A hole becomes
   * the class among these that most of its outer faces touch; it stays if it touches none of them.
   */
  readonly fillHoles?: readonly number[];
  /**
   * Lesions stay only in their organ: its voxels and all that they enclose, as holes do. Where there is no organ there is no lesion.
   * Lesion voxels that go become background.
   */
  readonly inside?: readonly Inside[];
  /** Parts that are too small become what surrounds them: the class that most of their outer faces touch, often background. */
  readonly minimumSize?: readonly MinimumSize[];
  /** Which voxels are joined to parts; 26 by default. */
  readonly connectivity?: Connectivity;
}

/**
 * A label map, cleaned up. Takes labels [depth, height, width] and the spacing in mm in the same order, or their grid, whose axes may
 * lean; the labels given stay as they are,
 * and are returned where no step is asked for.
 * Steps are exact and do not depend on the order of axes, but for ties. Holds 2 bytes a voxel (4 with a margin) beside the input,
 * and 12 for every run of parts.
 * Throws ImagingError for sizes that do not fit and options that mean nothing.
 */
export function postprocess(
  labels: Uint8Array,
  shape: Shape3,
  voxel: VoxelSize,
  options: PostprocessOptions,
): Uint8Array {
  checkLabels(labels, shape);
  checkSpacing('affine' in voxel ? spacingOf(voxel) : voxel);
  const { connectivity = 26, ...steps } = options;
  if (Object.values(steps).every((step) => step === undefined || step.length === 0)) return labels;
  const out = Uint8Array.from(labels);
  for (const region of options.largest ?? []) keepLargest(out, shape, region, connectivity);
  if (options.fillHoles !== undefined && options.fillHoles.length > 0)
    fillHoles(out, shape, options.fillHoles);
  for (const rule of options.inside ?? []) keepInside(out, shape, voxel, rule, connectivity);
  for (const size of options.minimumSize ?? []) removeSmall(out, shape, voxel, size, connectivity);
  return out;
}

function keepLargest(out: Uint8Array, shape: Shape3, region: Region, connectivity: Connectivity): void {
  const parts = connectedComponents(out, shape, foreground(region, 'largest'), connectivity);
  let largest = 0;
  parts.voxels.forEach((n, part) => {
    if (n > parts.voxels[largest]) largest = part;
  });
  paintParts(out, parts, (part) => (part === largest ? undefined : 0));
}

function fillHoles(out: Uint8Array, shape: Shape3, classes: readonly number[]): void {
  const counted = foreground(classes, 'fillHoles');
  const { parts, isHole } = holes(out, shape, labelSet([0]));
  const around = labelsAround(out, parts, isHole, counted);
  paintParts(out, parts, (part) => around[part]);
}

/** Values of the map that `keepInside` makes. */
const LESION = 1;
const AREA = 2;

function keepInside(
  out: Uint8Array,
  shape: Shape3,
  voxel: VoxelSize,
  { lesion, organ, rule = 'components', margin = 0 }: Inside,
  connectivity: Connectivity,
): void {
  foreground([lesion, organ], 'inside');
  if (lesion === organ) refuse('inside', 'a lesion and an organ of different classes', `${lesion} for both`);
  if (!(margin >= 0)) refuse('inside.margin', 'a distance in mm, at least 0', `${margin}`);
  if (rule !== 'components' && rule !== 'voxels') refuse('inside.rule', 'components or voxels', `${rule}`);
  const { parts: others, isHole } = holes(out, shape, labelSet([organ], true));
  const area = out.map((label) => (label === organ ? AREA : 0));
  paintParts(area, others, (part) => (isHole(part) ? AREA : undefined));
  const lesions = connectedComponents(out, shape, labelSet([lesion]), connectivity);
  const distances = margin > 0 ? distanceTo(area, shape, voxel) : undefined;
  markLesions(area, lesions, distances, margin);
  if (rule === 'components') {
    const stays = touching(area, lesions);
    paintParts(out, lesions, (part) => (stays[part] ? undefined : 0));
    return;
  }
  for (let run = 0; run < lesions.part.length; run++)
    for (let n = lesions.start[run]; n < lesions.end[run]; n++) if (area[n] !== AREA) out[n] = 0;
}

function distanceTo(area: Uint8Array, shape: Shape3, voxel: VoxelSize): Distances {
  const plane = shape[1] * shape[2];
  return distancesTo(shape, voxel, (k, flags) => {
    for (let n = 0, at = k * plane; n < plane; n++, at++) if (area[at] === AREA) flags[n] = 1;
  });
}

/** Lesion voxels outside of the area become LESION, or AREA where they are close to it. */
function markLesions(
  area: Uint8Array,
  { shape, start, end }: Components,
  distances: Distances | undefined,
  margin: number,
): void {
  const [, height, width] = shape;
  // Distances that are equal but for rounding count as equal.
  const limit = (margin * (1 + 1e-9)) ** 2;
  for (let run = 0; run < start.length; run++) {
    const row = Math.floor(start[run] / width);
    const [k, j] = [Math.floor(row / height), row % height];
    for (let n = start[run]; n < end[run]; n++) {
      if (area[n] === AREA) continue;
      const near = distances !== undefined && distances.squaredAt(k, j, n - row * width) <= limit;
      area[n] = near ? AREA : LESION;
    }
  }
}

/** For each part, whether one of its voxels is in the area or touches it by a face, edge or corner. */
function touching(area: Uint8Array, { shape, count, start, end, part }: Components): Uint8Array {
  const [depth, height, width] = shape;
  const touches = new Uint8Array(count);
  for (let run = 0; run < part.length; run++) {
    if (touches[part[run]]) continue;
    const row = Math.floor(start[run] / width);
    const [k, j] = [Math.floor(row / height), row % height];
    const [from, to] = [start[run] - row * width, end[run] - row * width];
    for (let z = Math.max(0, k - 1); z < Math.min(depth, k + 2); z++)
      for (let y = Math.max(0, j - 1); y < Math.min(height, j + 2); y++) {
        const near = (z * height + y) * width;
        for (let x = Math.max(0, from - 1); x < Math.min(width, to + 1); x++)
          if (area[near + x] === AREA) touches[part[run]] = 1;
      }
  }
  return touches;
}

function removeSmall(
  out: Uint8Array,
  shape: Shape3,
  voxel: VoxelSize,
  { label, voxels, volume }: MinimumSize,
  connectivity: Connectivity,
): void {
  if ((voxels === undefined) === (volume === undefined))
    refuse('minimumSize', 'voxels or volume (mm^3), one of them', voxels === undefined ? 'neither' : 'both');
  const least = voxels ?? volume! / voxelVolume(voxel);
  if (!(least >= 0)) refuse('minimumSize', 'a size of at least 0', `${voxels ?? volume}`);
  const parts = connectedComponents(out, shape, foreground(label, 'minimumSize'), connectivity);
  // A volume that is equal but for rounding is large enough.
  const small = (part: number) => parts.voxels[part] < least * (1 - 1e-9);
  const around = labelsAround(out, parts, small, labelSet([label], true));
  paintParts(out, parts, (part) => (small(part) ? (around[part] ?? 0) : undefined));
}

/** Flags of classes; background is none of them. */
function foreground(region: Region, field: string): Uint8Array {
  const classes = typeof region === 'number' ? [region] : region;
  if (classes.length === 0 || classes.includes(0))
    refuse(field, 'classes above 0', classes.length === 0 ? 'none' : '0, the background');
  return labelSet(classes);
}

function refuse(field: string, expected: string, found: string): never {
  throw new ImagingError({ field: `post-processing: ${field}`, expected, found });
}
