import path from 'node:path';
import { ImagingError } from '../volume/errors.ts';
import { IGNORED } from '../volume/label-codes.ts';
import { type Shape3, voxelCount } from '../volume/volume.ts';
import { type VoxelBox, wholeBox } from '../volume/voxel-source.ts';
import { ChunkCache, readBox } from './chunk-cache.ts';
import { isZarr, LABELS, ORIGINAL_LABELS } from './format.ts';
import { openZarr, type ZarrArray } from './zarr-array.ts';

// The labels of a case of a store.

/** What to do about a case that is damaged. */
export const hint = 'Remove the folder of this case and run halomesh preprocess again.';

/**
 * A box of a label map of a case of a store, in RAS+ order, as it was prepared or on the voxels of its file, whichever has this
 * shape; `labels`: folder of the prepared one; `ignored`: there may be voxels to leave out. Throws ImagingError for a label beyond
 * `names`.
 */
export async function readStoredLabels(
  labels: string,
  shape: Shape3,
  box: VoxelBox = wholeBox(shape),
  names?: readonly string[],
  ignored = false,
): Promise<Uint8Array> {
  const original = path.join(path.dirname(labels), ORIGINAL_LABELS);
  const shapes: string[] = [];
  for (const folder of [labels, original]) {
    if (!isZarr(folder)) continue;
    const array = await openLabels(folder);
    if (array.shape.every((n, axis) => n === shape[axis]))
      return readLabelBox(array, box, new ChunkCache(0), names, ignored);
    shapes.push(array.shape.join('x'));
  }
  const found = shapes.join(' and ');
  throw new ImagingError({ file: labels, field: 'shape', expected: shape.join('x'), found });
}

function highestOf(labels: Uint8Array, ignored: boolean): number {
  let highest = 0;
  for (const label of labels) if (label > highest && !(ignored && label === IGNORED)) highest = label;
  return highest;
}

export function checkHighest(folder: string, found: number, names: readonly string[]): void {
  if (found < names.length) return;
  throw new ImagingError({
    file: folder,
    field: LABELS,
    expected: `one of ${names.map((name, value) => `${value} ${name}`).join(', ')}`,
    found: `${found}`,
    hint: 'Name all labels in "classes".',
  });
}

/** Opens an array of labels. */
export async function openLabels(folder: string): Promise<ZarrArray> {
  const array = await openZarr(folder);
  if (array.type === '|u1') return array;
  throw new ImagingError({
    file: path.join(folder, '.zarray'),
    field: 'dtype',
    expected: '|u1, as labels are bytes',
    found: array.type,
    hint,
  });
}

/** Throws ImagingError for a label beyond `names`. */
export async function readLabelBox(
  array: ZarrArray,
  box: VoxelBox,
  cache: ChunkCache,
  names: readonly string[] | undefined,
  ignored: boolean,
): Promise<Uint8Array> {
  const out = new Uint8Array(voxelsIn(box, array));
  await readBox(array, box, cache, (labels, from, to, count) => {
    for (let n = 0; n < count; n++) out[to + n] = labels[from + n];
  });
  if (names !== undefined) checkHighest(path.dirname(array.folder), highestOf(out, ignored), names);
  return out;
}

/** Voxels of a box, which must lie within the array. */
export function voxelsIn({ start, end }: VoxelBox, { folder, shape }: ZarrArray): number {
  if (start.some((n, axis) => n < 0 || n > end[axis] || end[axis] > shape[axis]))
    throw new ImagingError({
      file: folder,
      field: 'box',
      expected: `a box within ${shape.join('x')}`,
      found: `${start.join(', ')} to ${end.join(', ')}`,
    });
  return voxelCount([end[0] - start[0], end[1] - start[1], end[2] - start[2]]);
}
