import type { Shape3 } from '../volume/volume.ts';
import { type Components, connectedComponents, labelSet } from './components.ts';

/** A connected part of a label, 26 neighbours counted. */
export interface VoxelPart {
  readonly voxels: number;
  /** [depth, height, width] indices of one of its voxels: see {@link partPlaces}. */
  readonly at: Shape3;
  /** Whether one of its voxels has the same label in the other map. */
  readonly meets: boolean;
}

/** The connected parts of a label of a map, in the order of their first voxels; `other` is a second map of the same shape. */
export function partsOf(labels: Uint8Array, shape: Shape3, label: number, other: Uint8Array): VoxelPart[] {
  const parts = connectedComponents(labels, shape, labelSet([label]), 26);
  const { count, start, end, part, voxels } = parts;
  const meets = new Uint8Array(count);
  for (let run = 0; run < part.length; run++)
    if (meets[part[run]] === 0 && other.subarray(start[run], end[run]).includes(label)) meets[part[run]] = 1;
  return partPlaces(parts).map((at, p) => ({ voxels: voxels[p], at, meets: meets[p] === 1 }));
}

/** [depth, height, width] indices of a voxel of each part: the one in the run nearest to its centre of mass. */
export function partPlaces({ shape, count, start, end, part, voxels }: Components): Shape3[] {
  const [, height, width] = shape;
  const rowOf = (run: number): Shape3 => {
    const row = Math.floor(start[run] / width);
    return [Math.floor(row / height), row % height, start[run] % width];
  };
  const sums = new Float64Array(3 * count);
  for (let run = 0; run < part.length; run++) {
    const length = end[run] - start[run];
    const [k, j, i] = rowOf(run);
    sums[3 * part[run]] += length * k;
    sums[3 * part[run] + 1] += length * j;
    sums[3 * part[run] + 2] += length * (i + (length - 1) / 2);
  }
  const nearest = new Float64Array(count).fill(Infinity);
  const at: Shape3[] = Array.from({ length: count }, () => [0, 0, 0]);
  for (let run = 0; run < part.length; run++) {
    const p = part[run];
    const [k, j, i] = rowOf(run);
    const [ck, cj, ci] = [0, 1, 2].map((axis) => sums[3 * p + axis] / voxels[p]);
    const along = Math.min(Math.max(Math.round(ci), i), i + end[run] - start[run] - 1);
    const distance = (k - ck) ** 2 + (j - cj) ** 2 + (along - ci) ** 2;
    if (distance >= nearest[p]) continue;
    nearest[p] = distance;
    at[p] = [k, j, along];
  }
  return at;
}
