// Losses of overlap in plain numbers, for tests: of class or region k over some voxels.

/** What a network says of voxel v, and what is true: 0 or 1. */
export interface Voxelwise {
  readonly p: (v: number, k: number) => number;
  readonly t: (v: number, k: number) => number;
}

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
export const sum = (voxels: readonly number[], f: (v: number) => number): number =>
  voxels.reduce((s, v) => s + f(v), 0);

export const dice = ({ p, t }: Voxelwise, voxels: readonly number[], k: number, epsilon: number): number =>
  (-2 * sum(voxels, (v) => p(v, k) * t(v, k))) / (sum(voxels, (v) => p(v, k) + t(v, k)) + epsilon);

export function tversky(
  { p, t }: Voxelwise,
  voxels: readonly number[],
  k: number,
  { alpha, beta, epsilon }: { readonly alpha: number; readonly beta: number; readonly epsilon: number },
): number {
  const hit = sum(voxels, (v) => p(v, k) * t(v, k));
  const wrong = sum(voxels, (v) => p(v, k) * (1 - t(v, k)));
  const missed = sum(voxels, (v) => (1 - p(v, k)) * t(v, k));
  return -hit / (hit + alpha * wrong + beta * missed + epsilon);
}
