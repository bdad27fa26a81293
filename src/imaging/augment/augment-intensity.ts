import { drawNormals } from '../../core/index.ts';
import { type IntensityRange, windowRange } from '../volume/normalization.ts';
import type { Shape3 } from '../volume/volume.ts';
import { boxShape } from '../volume/voxel-source.ts';
import type { Changes } from './augment-draw.ts';
import {
  type Field,
  FieldRows,
  linearKnots,
  normalLattice,
  splineKnots,
  wholeField,
} from './augment-field.ts';
import type { Voxels } from './augment-space.ts';

/**
 * Changes the intensities of a box of a volume of `shape` in place, plane by plane: per class, gamma, gain, noise, corruption.
 * Nothing is read but the voxel itself. Values stay within `range`, whose unit stands for the width of the window.
 */
export function changeIntensities(
  { box, image, labels }: Voxels,
  shape: Shape3,
  changes: Changes,
  range: IntensityRange = windowRange,
): void {
  const [depth, height, width] = boxShape(box);
  const { classFactors, gamma, gain, noises, corruption, lesion } = changes;
  const curve = gamma === undefined ? undefined : gammaTable(gamma);
  const fine = noises.filter(({ grain }) => grain === 1);
  const grainy = noises
    .filter(({ grain }) => grain > 1)
    .map((noise) => {
      const deviation = noise.deviation * range.unit;
      return new FieldRows(noiseField({ ...noise, deviation }, shape), box);
    });
  const mask = corruption && corruptionMask(corruption, shape);
  const blanks = mask && new FieldRows(mask.field, box);
  const drawn = new Float32Array(width);
  const { least, most, unit, outside } = range;
  for (let k = 0; k < depth; k++) {
    const from = k * height * width;
    const plane = image.subarray(from, from + height * width);
    const classes = labels?.subarray(from, from + height * width);
    if (classFactors) scaleClasses(plane, classes, lesion, classFactors, range);
    if (curve) applyTable(plane, curve, range);
    if (gain) scaleIntensity(plane, gain.scale, gain.shift * unit, range);
    for (const noise of grainy) noise.startPlane(box.start[0] + k);
    blanks?.startPlane(box.start[0] + k);
    for (let j = 0; j < height; j++) {
      for (const { key, deviation } of fine) {
        const index = ((box.start[0] + k) * shape[1] + box.start[1] + j) * shape[2] + box.start[2];
        drawNormals(drawn, key, deviation * unit, index);
        addClipped(plane, j * width, drawn, least, most);
      }
      for (const noise of grainy) {
        const row = noise.row(box.start[1] + j);
        if (row) addClipped(plane, j * width, row, least, most);
      }
      const covered = blanks?.row(box.start[1] + j);
      if (covered && mask) blank(plane, classes, j * width, lesion, covered, mask.threshold, outside);
    }
  }
}

function noiseField({ grain, deviation, key }: Changes['noises'][number], shape: Shape3): Field {
  const axes: Field['axes'] = [
    linearKnots(shape[0], grain),
    linearKnots(shape[1], grain),
    linearKnots(shape[2], grain),
  ];
  return { lattice: normalLattice([axes[0].points, axes[1].points, axes[2].points], key, deviation), axes };
}

function scaleClasses(
  image: Float32Array,
  labels: Uint8Array | undefined,
  lesion: number,
  factors: NonNullable<Changes['classFactors']>,
  { least, most }: IntensityRange,
): void {
  for (let n = 0; n < image.length; n++) {
    const factor = labels !== undefined && labels[n] === lesion ? factors.lesion : factors.rest;
    const value = least + (image[n] - least) * factor;
    image[n] = value > most ? most : value;
  }
}

/** Steps of a gamma curve's table; between them it is a straight line. */
const curveSteps = 4096;

function gammaTable(exponent: number): Float32Array {
  // One entry more than steps and one to spare, for the line that begins at 1.
  return Float32Array.from({ length: curveSteps + 2 }, (_, n) => Math.min(1, (n / curveSteps) ** exponent));
}

function applyTable(image: Float32Array, table: Float32Array, { least, most }: IntensityRange): void {
  const width = most - least;
  if (width === 0) return;
  for (let n = 0; n < image.length; n++) {
    // Rounding may leave the range by a bit.
    const part = (image[n] - least) / width;
    const place = (part < 0 ? 0 : part > 1 ? 1 : part) * curveSteps;
    const low = Math.floor(place);
    image[n] = least + width * (table[low] + (table[low + 1] - table[low]) * (place - low));
  }
}

function scaleIntensity(
  image: Float32Array,
  scale: number,
  shift: number,
  { least, most }: IntensityRange,
): void {
  for (let n = 0; n < image.length; n++) {
    const value = least + (image[n] - least) * scale + shift;
    image[n] = value < least ? least : value > most ? most : value;
  }
}

function addClipped(image: Float32Array, at: number, added: Float32Array, least: number, most: number): void {
  for (let n = 0; n < added.length; n++) {
    const value = image[at + n] + added[n];
    image[at + n] = value < least ? least : value > most ? most : value;
  }
}

/** Cells of the corruption mask along an axis. */
const maskCells = 3;
/** Places along an axis that its share is counted at. */
const countedPlaces = 32;

/**
 * A smooth field of random numbers and the threshold from which it covers a share of the volume. The share is that among at most
 * 32 x 32 x 32 evenly spaced voxels: exact up to that size, and the same for every box and rank.
 */
export function corruptionMask(
  { share, key }: NonNullable<Changes['corruption']>,
  shape: Shape3,
): { readonly field: Field; readonly threshold: number } {
  const points = maskCells + 3;
  const lattice = normalLattice([points, points, points], key, 1);
  const knots = (axis: 0 | 1 | 2, at?: readonly number[]) => splineKnots(shape[axis], maskCells, at);
  const field: Field = { lattice, axes: [knots(0), knots(1), knots(2)] };
  const counted = shape.map((extent) => {
    const count = Math.min(extent, countedPlaces);
    return Array.from({ length: count }, (_, n) => Math.floor(((n + 0.5) * extent) / count));
  });
  const axes: Field['axes'] = [knots(0, counted[0]), knots(1, counted[1]), knots(2, counted[2])];
  const values = wholeField({ lattice, axes }).sort();
  const covered = Math.round(share * values.length);
  return { field, threshold: covered === 0 ? Number.POSITIVE_INFINITY : values[values.length - covered] };
}

function blank(
  image: Float32Array,
  labels: Uint8Array | undefined,
  at: number,
  lesion: number,
  field: Float32Array,
  threshold: number,
  outside: number,
): void {
  for (let n = 0; n < field.length; n++)
    if (field[n] >= threshold && (labels === undefined || labels[at + n] !== lesion)) image[at + n] = outside;
}
