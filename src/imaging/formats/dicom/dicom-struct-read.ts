import { affineColumn, type Vector3 } from '../../volume/affine.ts';
import { ImagingError } from '../../volume/errors.ts';
import { defaultMaxBytes, type OpenScan, type ScanReadOptions } from '../../volume/scan-types.ts';
import { type Grid, voxelCount } from '../../volume/volume.ts';
import type { ScanFiles } from '../scan-files.ts';
import type { Attributes } from './dicom-attributes.ts';
import { readDicomFile } from './dicom-file.ts';
import { type FillPlane, fillPolygons, type Polygon } from './polygons.ts';

// Structure sets of radiotherapy (RTSTRUCT): closed contours in planes, in mm. As a label map each is filled on the slices of its image.

/** Voxel indices (i, j, k) of a place in LPS mm. */
type Places = (x: number, y: number, z: number) => Vector3;

/** A structure: its value in the label map, and its contours by slice. */
interface Structure {
  readonly name: string;
  readonly value: number;
  /** The axis of the image that its slices follow along: 0 (i), 1 (j) or 2 (k). */
  readonly axis: number;
  readonly slices: ReadonlyMap<number, readonly Polygon[]>;
}

/** So far from a slice, of the distance of slices, a contour may lie. */
const mostAside = 0.1;

/**
 * Opens a structure set as a label map on the grid of its image (`options.onto`). A structure has the value that `options.structures` gives
 * its name; others are left out, and where two overlap the higher value stands. Without `structures` values are the numbers of the
 * structures, which then may not overlap. A voxel belongs to a structure where its centre lies within an odd number of contours of its slice.
 * Throws ImagingError for contours that are not closed, or lie between slices or beyond them.
 */
export async function openDicomStruct(
  files: ScanFiles,
  file: string,
  options: ScanReadOptions,
): Promise<OpenScan> {
  const source = await readDicomFile(files, file, { whole: true });
  const fail = (field: string, expected: string, found: string, hint?: string): never => {
    throw new ImagingError({ file, field, expected, found: found.slice(0, 200), hint });
  };
  if (source === undefined) return fail('path', 'a file of DICOM', 'something else');
  const grid = options.onto;
  if (grid === undefined) {
    const hint = 'Give it as the label map of a scan in a data set.';
    return fail('grid', 'an image that the contours lie on', 'none', hint);
  }
  const { shape, affine } = grid;
  const most = options.maxBytes ?? defaultMaxBytes;
  if (voxelCount(shape) > most)
    fail('contours', `at most ${most} bytes of voxels`, `${voxelCount(shape)} bytes`);
  const rois = roisOf(source.data, options.structures, fail);
  const structures = rois.map((roi) => structureOf(roi, grid, fail));
  const notes = structures.flatMap(gapsOf);
  return {
    header: {
      ...{ file, format: 'DICOM', shape, affine, type: 'uint8', slope: 1, intercept: 0, oriented: true },
      ...(notes.length > 0 && { notes }),
    },
    async read(slab, _, take) {
      const voxels = labelsOf(structures, grid, options.structures !== undefined, fail);
      const plane = shape[1] * shape[2];
      const slices = Math.floor(slab.length / plane);
      for (let first = 0; first < shape[0]; first += slices) {
        const some = voxels.subarray(first * plane, Math.min(first + slices, shape[0]) * plane);
        slab.set(some);
        take(slab.subarray(0, some.length), first);
      }
    },
    close: async () => {},
  };
}

type Fail = (field: string, expected: string, found: string, hint?: string) => never;

/** A structure as the file has it. */
interface Roi {
  readonly name: string;
  readonly value: number;
  readonly contours: readonly Attributes[];
}

/** The structures that are wanted, by rising values. */
function roisOf(data: Attributes, wanted: ScanReadOptions['structures'], fail: Fail): readonly Roi[] {
  const contours = new Map<number, readonly Attributes[]>();
  for (const item of data.items('x30060039'))
    contours.set(item.decimal('x30060084') ?? Number.NaN, item.items('x30060040'));
  const all = data.items('x30060020').map((item) => {
    const number = item.decimal('x30060022') ?? Number.NaN;
    return { name: item.text('x30060026'), number, contours: contours.get(number) ?? [] };
  });
  if (all.length === 0) fail('Structure Set ROI Sequence (3006,0020)', 'structures', 'none');
  const chosen =
    wanted === undefined ? all.map((roi) => ({ ...roi, value: roi.number })) : named(all, wanted);
  if (chosen.length === 0) {
    const hint = 'Name the labels in dataset.json as the structures are named.';
    const found = all.map(({ name }) => name).join(', ');
    fail('ROI Name', `one of ${[...wanted!.keys()].join(', ')}`, found, hint);
  }
  const values = new Set<number>();
  for (const { name, value } of chosen) {
    if (!(Number.isInteger(value) && value > 0 && value < 256))
      fail('ROI Number', 'a number from 1 to 255', `${value} of ${name}`);
    if (values.has(value)) fail('structures', 'each once', `${name} twice`);
    values.add(value);
  }
  return chosen.toSorted((a, b) => a.value - b.value);
}

/** Structures by the names of labels, in any case. */
function named<T extends { readonly name: string }>(
  all: readonly T[],
  wanted: NonNullable<ScanReadOptions['structures']>,
): (T & { readonly value: number })[] {
  const values = new Map([...wanted].map(([name, value]) => [name.trim().toLowerCase(), value]));
  return all.flatMap((roi) => {
    const value = values.get(roi.name.toLowerCase());
    return value === undefined ? [] : [{ ...roi, value }];
  });
}

/** The contours of a structure as polygons on slices. */
function structureOf({ name, value, contours }: Roi, grid: Grid, fail: Fail): Structure {
  const place = placesIn(grid);
  const slices = new Map<number, Polygon[]>();
  let axis: number | undefined;
  for (const [n, contour] of contours.entries()) {
    const where = `contour ${n + 1} of ${name}`;
    const kind = contour.text('x30060042');
    if (kind !== 'CLOSED_PLANAR' && kind !== 'CLOSEDPLANAR_XOR')
      fail(`Contour Geometric Type of ${where}`, 'CLOSED_PLANAR or CLOSEDPLANAR_XOR', kind || 'nothing');
    const numbers = contour.all('x30060050').split('\\').map(Number);
    if (numbers.length < 9 || numbers.length % 3 !== 0 || !numbers.every(Number.isFinite))
      fail(`Contour Data of ${where}`, 'three or more points', `${numbers.length} numbers`);
    const points: Vector3[] = [];
    for (let at = 0; at < numbers.length; at += 3)
      points.push(place(numbers[at], numbers[at + 1], numbers[at + 2]));
    const along = flatAxis(points);
    axis ??= along;
    if (along === undefined || along !== axis)
      return fail(where, 'a plane along the slices of the image, the same for all', 'another');
    const slice = Math.round(points[0][along]);
    const off = Math.max(...points.map((point) => Math.abs(point[along] - slice)));
    if (off > mostAside)
      fail(where, 'a contour on a slice of the image', `one ${off.toFixed(2)} slices beside slice ${slice}`);
    if (slice < 0 || slice >= grid.shape[2 - along])
      fail(where, `slices 0 to ${grid.shape[2 - along] - 1} of the image`, `${slice}`);
    const [p, q] = otherAxes(along);
    const polygon = points.map((point) => [point[p], point[q]] as const);
    const list = slices.get(slice);
    if (list === undefined) slices.set(slice, [polygon]);
    else list.push(polygon);
  }
  return { name, value, axis: axis ?? 2, slices };
}

/** The axes of a slice across an axis: that of its columns first. */
const otherAxes = (axis: number): readonly [number, number] =>
  axis === 2 ? [0, 1] : axis === 1 ? [0, 2] : [1, 2];

/** The axis across a plane: that along which its points differ by the tenth of a voxel at most, and least. */
function flatAxis(points: readonly Vector3[]): number | undefined {
  const ranges = [0, 1, 2].map((n) => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const point of points) [low, high] = [Math.min(low, point[n]), Math.max(high, point[n])];
    return high - low;
  });
  const least = Math.min(...ranges);
  return least <= mostAside ? ranges.indexOf(least) : undefined;
}

/** Voxel indices from LPS mm: what the affine of a grid undoes. */
function placesIn({ affine }: Grid): Places {
  const [a, b, c] = ([0, 1, 2] as const).map((n) => affineColumn(affine, n));
  const cross = (u: Vector3, v: Vector3): Vector3 => [
    u[1] * v[2] - u[2] * v[1],
    u[2] * v[0] - u[0] * v[2],
    u[0] * v[1] - u[1] * v[0],
  ];
  const dot = (u: Vector3, v: Vector3): number => u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
  const across = [cross(b, c), cross(c, a), cross(a, b)];
  const volume = dot(a, across[0]);
  return (x, y, z) => {
    const from: Vector3 = [-x - affine[3], -y - affine[7], z - affine[11]];
    const at = (n: number) => dot(from, across[n]) / volume;
    return [at(0), at(1), at(2)];
  };
}

/** What somebody should look at: slices between contours that have none. */
function gapsOf({ name, slices }: Structure): readonly string[] {
  const places = [...slices.keys()];
  if (places.length === 0) return [`${name} has no contours`];
  const all = Math.max(...places) - Math.min(...places) + 1;
  if (all === places.length) return [];
  return [`${name} has contours on ${places.length} of the ${all} slices that it reaches over`];
}

/** The label map: later structures over earlier ones where `mayOverlap`. */
function labelsOf(structures: readonly Structure[], grid: Grid, mayOverlap: boolean, fail: Fail): Uint8Array {
  const voxels = new Uint8Array(voxelCount(grid.shape));
  for (const { name, value, axis, slices } of structures)
    for (const [slice, polygons] of slices) {
      fillPolygons(polygons, planeOf(grid, axis, slice), (n) => {
        if (!mayOverlap && voxels[n] !== 0)
          fail('structures', 'ones that do not overlap', `${name} over number ${voxels[n]}`, overlapHint);
        voxels[n] = value;
      });
    }
  return voxels;
}

const overlapHint =
  'Name the labels in dataset.json as the structures are named: then the higher value stands.';

/** How a slice lies in the array of a grid. */
function planeOf({ shape }: Grid, axis: number, slice: number): FillPlane {
  const steps = [1, shape[2], shape[1] * shape[2]];
  const sizes = [shape[2], shape[1], shape[0]];
  const [p, q] = otherAxes(axis);
  return { from: slice * steps[axis], width: sizes[p], height: sizes[q], step: steps[p], row: steps[q] };
}
