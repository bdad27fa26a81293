import { boxShape, type VoxelBox } from '../volume/voxel-source.ts';
import { isExact, RowPositions, type SpatialMap } from './augment-map.ts';

/** Voxels of a box of a volume: the image, and labels where there are any. */
export interface Voxels {
  readonly box: VoxelBox;
  readonly image: Float32Array;
  readonly labels?: Uint8Array;
}

/**
 * Fills the part `box` of `out` with what the map reads from `from`, which holds all of `readBox(map, box)`: the image linearly,
 * labels from the nearest voxel; from outside the volume `outside`, and the label 0.
 */
export function moveVoxels(from: Voxels, map: SpatialMap, box: VoxelBox, out: Voxels, outside = 0): void {
  const walk = walkOf(from.box, map);
  const [depth, height, width] = boxShape(out.box);
  const positions = isExact(map) ? undefined : new RowPositions(map, box);
  const [first, length] = [box.start[2] - out.box.start[2], box.end[2] - box.start[2]];
  if (depth * height * width === 0) return;
  for (let k = box.start[0]; k < box.end[0]; k++) {
    positions?.startPlane(k);
    for (let j = box.start[1]; j < box.end[1]; j++) {
      const at = ((k - out.box.start[0]) * height + j - out.box.start[1]) * width + first;
      if (positions === undefined) {
        const start = walk.first + k * walk.steps[0] + j * walk.steps[1] + box.start[2] * walk.steps[2];
        copyRow(from.image, start, walk.steps[2], out.image, at, length);
        if (from.labels && out.labels) copyRow(from.labels, start, walk.steps[2], out.labels, at, length);
        continue;
      }
      positions.row(k, j);
      linearRow(from.image, walk, positions, { out: out.image, at, outside });
      if (from.labels && out.labels) nearestRow(from.labels, walk, positions, out.labels, at);
    }
  }
}

/**
 * Voxel (k, j, i) of the flipped volume is at first + k * steps[0] + j * steps[1] + i * steps[2] of an array that holds a box
 * of the unflipped one.
 */
interface Walk {
  /** Of the whole volume. */
  readonly shape: readonly number[];
  readonly first: number;
  readonly steps: readonly number[];
}

function walkOf(box: VoxelBox, { shape, flips }: SpatialMap): Walk {
  const [, height, width] = boxShape(box);
  let first = 0;
  const steps = [height * width, width, 1].map((step, axis) => {
    first += ((flips[axis] ? shape[axis] - 1 : 0) - box.start[axis]) * step;
    return flips[axis] ? -step : step;
  });
  return { shape, first, steps };
}

function copyRow<T extends Float32Array | Uint8Array>(
  from: T,
  start: number,
  step: number,
  out: T,
  at: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) out[at + i] = from[start + i * step];
}

function nearestRow(
  data: Uint8Array,
  { shape: [depth, height, width], first, steps: [stepK, stepJ, stepI] }: Walk,
  positions: RowPositions,
  out: Uint8Array,
  at: number,
): void {
  const { z: zs, y: ys, x: xs } = positions;
  for (let i = 0; i < xs.length; i++) {
    const z = Math.floor(zs[i] + 0.5);
    const y = Math.floor(ys[i] + 0.5);
    const x = Math.floor(xs[i] + 0.5);
    const inside = z >= 0 && y >= 0 && x >= 0 && z < depth && y < height && x < width;
    out[at + i] = inside ? data[(first + z * stepK + y * stepJ + x * stepI) | 0] : 0;
  }
}

function linearRow(
  data: Float32Array,
  { shape: [depth, height, width], first, steps: [stepK, stepJ, stepI] }: Walk,
  positions: RowPositions,
  { out, at, outside }: { readonly out: Float32Array; readonly at: number; readonly outside: number },
): void {
  const { z: zs, y: ys, x: xs } = positions;
  for (let i = 0; i < xs.length; i++) {
    const z = zs[i];
    const y = ys[i];
    const x = xs[i];
    const z0 = Math.floor(z);
    const y0 = Math.floor(y);
    const x0 = Math.floor(x);
    const fz = z - z0;
    const fy = y - y0;
    const fx = x - x0;
    // An array has fewer than 2^31 voxels, so its indices are plain integers.
    const p = (first + z0 * stepK + y0 * stepJ + x0 * stepI) | 0;
    let sum = outside;
    if (z0 >= 0 && y0 >= 0 && x0 >= 0 && z0 < depth - 1 && y0 < height - 1 && x0 < width - 1) {
      const top = square(data, p, stepJ, stepI, fy, fx);
      const bottom = square(data, p + stepK, stepJ, stepI, fy, fx);
      sum = lerp(top, bottom, fz);
    } else if (z > -1 && y > -1 && x > -1 && z < depth && y < height && x < width) {
      sum = 0;
      for (let corner = 0; corner < 8; corner++) {
        const dz = corner >> 2;
        const dy = (corner >> 1) & 1;
        const dx = corner & 1;
        const beyond = z0 + dz < 0 || y0 + dy < 0 || x0 + dx < 0;
        const past = z0 + dz >= depth || y0 + dy >= height || x0 + dx >= width;
        const weight = (dz ? fz : 1 - fz) * (dy ? fy : 1 - fy) * (dx ? fx : 1 - fx);
        sum += weight * (beyond || past ? outside : data[p + dz * stepK + dy * stepJ + dx * stepI]);
      }
    }
    out[at + i] = sum;
  }
}

/** Linear within a slice. */
function square(data: Float32Array, p: number, stepJ: number, stepI: number, fy: number, fx: number): number {
  const near = lerp(data[p], data[p + stepI], fx);
  return lerp(near, lerp(data[p + stepJ], data[p + stepJ + stepI], fx), fy);
}

function lerp(a: number, b: number, f: number): number {
  return a + (b - a) * f;
}
