import {
  applyAffine,
  canonicalGrid,
  type Grid,
  loadLabels,
  partsOf,
  readScanHeader,
  spacingOf,
  type VoxelPart,
} from '../imaging/index.ts';
import type { LesionPlace, LesionPlaces } from './protocol.ts';

/** Of a case; a page has no room for more. */
const MOST = 200;

/**
 * The connected parts of some labels together in a truth and in a segmentation of the same grid, and where they are. Takes two bytes a voxel
 * while it counts.
 */
export async function lesionPlaces(
  truth: string,
  prediction: string,
  { labels, name }: { readonly labels: readonly number[]; readonly name: string },
): Promise<LesionPlaces> {
  const grid = canonicalGrid(await readScanHeader(truth));
  const [real, found] = [await loadLabels(truth, grid), await loadLabels(prediction, grid)];
  const [label] = labels;
  for (const { data } of [real, found]) asOne(data, labels);
  const all = [
    ...placed(grid, 'truth', partsOf(real.data, grid.shape, label, found.data)),
    ...placed(grid, 'prediction', partsOf(found.data, grid.shape, label, real.data)),
  ].sort((a, b) => b.ml - a.ml);
  return { label: name, places: all.slice(0, MOST), more: Math.max(0, all.length - MOST) };
}

/** Labels that are one thing get the first one's number, in place. */
function asOne(data: Uint8Array, labels: readonly number[]): void {
  if (labels.length === 1) return;
  const inside = Uint8Array.from({ length: 256 }, (_, label) => (labels.includes(label) ? 1 : 0));
  for (let n = 0; n < data.length; n++) if (inside[data[n]] === 1) data[n] = labels[0];
}

function placed(grid: Grid, of: LesionPlace['of'], parts: readonly VoxelPart[]): LesionPlace[] {
  const ml = spacingOf(grid).reduce((a, b) => a * b) / 1000;
  return parts.map(({ voxels, at: [k, j, i], meets }) => ({
    of,
    met: meets,
    ml: voxels * ml,
    mm: applyAffine(grid.affine, [i, j, k]),
  }));
}
