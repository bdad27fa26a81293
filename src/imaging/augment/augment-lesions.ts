import { RandomStream, randomKey } from '../../core/index.ts';
import { type Shape3, voxelCount } from '../volume/volume.ts';
import { boxShape, type ClassFacts, type VoxelBox, type VoxelSource } from '../volume/voxel-source.ts';
import {
  cellKnots,
  type Field,
  FieldRows,
  type Lattice,
  normalLattice,
  splineKnots,
  storedLattice,
  wholeField,
} from './augment-field.ts';
import type { Voxels } from './augment-space.ts';

// Fake lesions after Hou et al. 2019: real lesions are brightened to the organ around them, and dark blobs are drawn into it. All
// that depends on more than the voxel itself is told on a grid of at most about 64 cells along each axis, which takes one look at
// the labels and then a few hundred kB, whatever the size of the volume.

/** Cells along an axis, about. A blurred mask reaches two cells, a 32nd of the volume, beyond the sharp one. */
const cellsAlong = 64;
/** Cells of a volume's axis for one step of the lattice that blobs are drawn from: a 32nd of the volume. */
const blobCells = 2;
/** Erased and drawn lesions differ from the organ by this much more than real ones, as blurring takes some of it away. */
const gain = 1.15;
/** Share of the organ that blobs cover. */
const leastShare = 0.06;
const mostShare = 0.24;
/** Half of the step of the blobs' field over which a lesion fades into the organ. */
const softness = 0.25;

/** How many voxels of the organ (lesions are part of it) and of lesions lie in each cell of a coarse grid. */
export interface OrganCells {
  /** Of the volume. */
  readonly shape: Shape3;
  /** Voxels of a cell along each axis; the last cells may have fewer. */
  readonly size: Shape3;
  /** Cells along each axis. */
  readonly cells: Shape3;
  readonly organ: Uint32Array;
  readonly lesion: Uint32Array;
}

/** What fake lesions do to a volume; every box of it can be changed on its own. */
export interface LesionPlan {
  readonly organ: number;
  readonly lesion: number;
  /** What is added under erased lesions and taken away under new ones, in the unit of the image. */
  readonly difference: number;
  /** Blurred masks of the real lesions and of the organ, 0..1. */
  readonly erased: Field;
  readonly inside: Field;
  /** New lesions are where this reaches the threshold, within the organ. */
  readonly blobs: Field;
  readonly threshold: number;
}

/** A grid of cells without counts. */
export function emptyCells(shape: Shape3): OrganCells {
  const along = (axis: 0 | 1 | 2) => Math.max(1, Math.round(shape[axis] / cellsAlong));
  const size: Shape3 = [along(0), along(1), along(2)];
  const count = (axis: 0 | 1 | 2) => Math.ceil(shape[axis] / size[axis]);
  const cells: Shape3 = [count(0), count(1), count(2)];
  const room = () => new Uint32Array(voxelCount(cells));
  return { shape, size, cells, organ: room(), lesion: room() };
}

/** Adds the labels of a box to the counts. */
export function countLabels(
  { size, cells, organ: organs, lesion: lesions }: OrganCells,
  labels: Uint8Array,
  { start, end }: VoxelBox,
  organ: number,
  lesion: number,
): void {
  let n = 0;
  for (let k = start[0]; k < end[0]; k++) {
    for (let j = start[1]; j < end[1]; j++) {
      const row = (Math.floor(k / size[0]) * cells[1] + Math.floor(j / size[1])) * cells[2];
      for (let i = start[2]; i < end[2]; i++, n++) {
        if (labels[n] !== organ && labels[n] !== lesion) continue;
        const cell = row + Math.floor(i / size[2]);
        organs[cell]++;
        if (labels[n] === lesion) lesions[cell]++;
      }
    }
  }
}

const known = new WeakMap<VoxelSource, Map<number, Promise<OrganCells>>>();

/** The cells of a source: its labels are read once, a slab of cells at a time, and what came of it is kept with the source. */
export function cellsOf(source: VoxelSource, organ: number, lesion: number): Promise<OrganCells> {
  const byClasses = known.get(source) ?? new Map<number, Promise<OrganCells>>();
  known.set(source, byClasses);
  const id = organ * 256 + lesion;
  const cells = byClasses.get(id) ?? countSource(source, organ, lesion);
  byClasses.set(id, cells);
  // A failed read shall be tried again.
  cells.catch(() => byClasses.delete(id));
  return cells;
}

async function countSource(source: VoxelSource, organ: number, lesion: number): Promise<OrganCells> {
  const cells = emptyCells(source.shape);
  const [depth, height, width] = source.shape;
  const step = cells.size[0] * Math.max(1, Math.floor(slabVoxels / (cells.size[0] * height * width)));
  for (let k = 0; k < depth; k += step) {
    const slab: VoxelBox = { start: [k, 0, 0], end: [Math.min(depth, k + step), height, width] };
    countLabels(cells, await source.labels(slab), slab, organ, lesion);
  }
  return cells;
}

/** Voxels that are read at once to be counted. */
const slabVoxels = 2 ** 23;

/**
 * Draws fake lesions: with d = 1.15 * (mean of the organ - mean of lesions), d is added under the blurred mask of the real lesions
 * and taken away under that of blobs which cover 6 to 24 % of the organ, as counted on the grid of cells; what they cover becomes
 * lesion, all other lesions organ. `undefined` where a class has no voxels or d is not positive. Means and d are those of a channel;
 * whether there are fake lesions, and where, is the same in all: the first one's d decides.
 */
export function planLesions(
  cells: OrganCells,
  classes: readonly ClassFacts[],
  { organ, lesion, key }: { readonly organ: number; readonly lesion: number; readonly key: number },
  channel = 0,
): LesionPlan | undefined {
  const [whole, part] = [classes[organ], classes[lesion]];
  if (!whole || !part || whole.count === 0 || part.count === 0) return undefined;
  if (!(gain * (whole.mean - part.mean) > 0)) return undefined;
  const meanOf = ({ mean, means }: ClassFacts): number => means?.[channel] ?? mean;
  const difference = gain * (meanOf(whole) - meanOf(part));
  const { shape, size } = cells;
  const axes: Field['axes'] = [
    cellKnots(shape[0], size[0]),
    cellKnots(shape[1], size[1]),
    cellKnots(shape[2], size[2]),
  ];
  const { blobs, threshold } = drawBlobs(cells, key);
  return {
    ...{ organ, lesion, difference, blobs, threshold },
    erased: { lattice: shares(cells, cells.lesion), axes },
    inside: { lattice: shares(cells, cells.organ), axes },
  };
}

/** The share of each cell, repeated twice beyond the outer ones. */
function shares({ shape, size, cells }: OrganCells, counts: Uint32Array): Lattice {
  const padded: Shape3 = [cells[0] + 4, cells[1] + 4, cells[2] + 4];
  const values = new Float32Array(voxelCount(padded));
  const within = (place: number, axis: number) => Math.max(0, Math.min(cells[axis] - 1, place - 2));
  const extent = (cell: number, axis: number) => Math.min(size[axis], shape[axis] - cell * size[axis]);
  let n = 0;
  for (let k = 0; k < padded[0]; k++) {
    const ck = within(k, 0);
    for (let j = 0; j < padded[1]; j++) {
      const cj = within(j, 1);
      const area = extent(ck, 0) * extent(cj, 1);
      for (let i = 0; i < padded[2]; i++, n++) {
        const ci = within(i, 2);
        const count = counts[(ck * cells[1] + cj) * cells[2] + ci];
        if (count > 0) values[n] = count / (area * extent(ci, 2));
      }
    }
  }
  return storedLattice(values, padded);
}

/** A random field and the threshold that a drawn share of the organ's voxels reaches, were each at the centre of its cell. */
function drawBlobs(
  { shape, size, cells, organ }: OrganCells,
  key: number,
): Pick<LesionPlan, 'blobs' | 'threshold'> {
  const random = new RandomStream(key, 1);
  const share = random.between(leastShare, mostShare);
  const steps = cells.map((n) => Math.max(1, Math.ceil(n / blobCells)));
  const lattice = normalLattice([steps[0] + 3, steps[1] + 3, steps[2] + 3], randomKey(key, 2), 1);
  const knots = (axis: 0 | 1 | 2, at?: readonly number[]) => splineKnots(shape[axis], steps[axis], at);
  const centres = (axis: 0 | 1 | 2) =>
    knots(
      axis,
      Array.from({ length: cells[axis] }, (_, n) =>
        Math.min(shape[axis] - 1, n * size[axis] + (size[axis] - 1) / 2),
      ),
    );
  const values = wholeField({ lattice, axes: [centres(0), centres(1), centres(2)] });
  const filled: number[] = [];
  for (let cell = 0; cell < organ.length; cell++) if (organ[cell] > 0) filled.push(cell);
  // The highest first; of equal ones the first cell.
  filled.sort((a, b) => values[b] - values[a] || a - b);
  let total = 0;
  for (const cell of filled) total += organ[cell];
  let covered = 0;
  let last = 0;
  while (last < filled.length - 1 && covered + organ[filled[last]] < share * total)
    covered += organ[filled[last++]];
  return {
    blobs: { lattice, axes: [knots(0), knots(1), knots(2)] },
    threshold: values[filled[last]],
  };
}

/** Makes the fake lesions of a box, in place; values stay between `low` and `high`. */
export function paintLesions(
  { box, image, labels }: Voxels & { readonly labels: Uint8Array },
  { organ, lesion, difference, erased, inside, blobs, threshold }: LesionPlan,
  low = 0,
  high = 1,
): void {
  const [depth, height, width] = boxShape(box);
  const [old, within, blob] = [erased, inside, blobs].map((field) => new FieldRows(field, box));
  const none = new Float32Array(width);
  for (let k = 0; k < depth; k++) {
    for (const field of [old, within, blob]) field.startPlane(box.start[0] + k);
    for (let j = 0; j < height; j++) {
      const row = box.start[1] + j;
      const shares = within.row(row);
      // Where there is nothing of the organ there are no lesions either, as they are part of it.
      if (shares === undefined) continue;
      const lifted = old.row(row) ?? none;
      const levels = blob.row(row) ?? none;
      const at = (k * height + j) * width;
      for (let n = 0; n < width; n++) {
        if (shares[n] === 0) continue;
        const level = levels[n];
        const rise = (level - threshold) / (2 * softness) + 0.5;
        const fade = rise <= 0 ? 0 : rise >= 1 ? 1 : rise * rise * (3 - 2 * rise);
        const value = image[at + n] + difference * (lifted[n] - fade * shares[n]);
        image[at + n] = value < low ? low : value > high ? high : value;
        const label = labels[at + n];
        if (label === organ || label === lesion) labels[at + n] = level >= threshold ? lesion : organ;
      }
    }
  }
}
