import { applyAffine, type Grid, partsOf, spacingOf, type Volume, type VoxelPart } from '../imaging/index.ts';
import type { LesionPlace, LesionPlaces } from './protocol.ts';

/** Of a case; a page has no room for more. */
const MOST = 200;

/**
 * The connected parts of some labels together in a truth and in a segmentation of the same grid, and where they are. Changes both maps.
 */
export function lesionPlaces(
  truth: Volume<Uint8Array>,
  prediction: Volume<Uint8Array>,
  { labels, name }: { readonly labels: readonly number[]; readonly name: string },
): LesionPlaces {
  const [label] = labels;
  for (const { data } of [truth, prediction]) asOne(data, labels);
  const all = [
    ...placed(truth, 'truth', partsOf(truth.data, truth.shape, label, prediction.data)),
    ...placed(truth, 'prediction', partsOf(prediction.data, truth.shape, label, truth.data)),
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
