import { arrayLike, type Shape3, voxelCount } from './volume.ts';

/** Output voxel o reads input position matrix * o + offset, all in (depth, height, width) voxels. */
export interface AffineSampling {
  /** 3x3, row by row. */
  readonly matrix: readonly number[];
  readonly offset: readonly number[];
}

/** The volume [depth, height, width] with the chosen axes counted from their other end, in a new array. */
export function flipAxes<T extends Float32Array | Uint8Array>(
  data: T,
  shape: Shape3,
  flipped: readonly [boolean, boolean, boolean],
): T {
  const [depth, height, width] = shape;
  const out = arrayLike(data, data.length);
  for (let k = 0; k < depth; k++) {
    const fromK = flipped[0] ? depth - 1 - k : k;
    for (let j = 0; j < height; j++) {
      const from = (fromK * height + (flipped[1] ? height - 1 - j : j)) * width;
      const to = (k * height + j) * width;
      out.set(data.subarray(from, from + width), to);
      if (flipped[2]) out.subarray(to, to + width).reverse();
    }
  }
  return out;
}

/** The volume seen through an affine map, in a new array of the same shape; 0 where it reads from outside. */
export function sampleAffine<T extends Float32Array | Uint8Array>(
  data: T,
  shape: Shape3,
  { matrix, offset }: AffineSampling,
  mode: 'linear' | 'nearest',
): T {
  const [depth, height, width] = shape;
  const out = arrayLike(data, voxelCount(shape));
  const sampleRow = mode === 'linear' ? linearRow : nearestRow;
  for (let k = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      const start = [0, 1, 2].map((row) => matrix[row * 3] * k + matrix[row * 3 + 1] * j + offset[row]);
      sampleRow(data, shape, out, (k * height + j) * width, start, [matrix[2], matrix[5], matrix[8]]);
    }
  }
  return out;
}

type RowSampler = (
  data: Float32Array | Uint8Array,
  shape: Shape3,
  out: Float32Array | Uint8Array,
  at: number,
  start: readonly number[],
  step: readonly number[],
) => void;

const nearestRow: RowSampler = (data, [depth, height, width], out, at, start, step) => {
  for (let i = 0; i < width; i++) {
    const z = Math.round(start[0] + i * step[0]);
    const y = Math.round(start[1] + i * step[1]);
    const x = Math.round(start[2] + i * step[2]);
    if (z < 0 || y < 0 || x < 0 || z >= depth || y >= height || x >= width) continue;
    out[at + i] = data[(z * height + y) * width + x];
  }
};

const linearRow: RowSampler = (data, [depth, height, width], out, at, start, step) => {
  const plane = height * width;
  for (let i = 0; i < width; i++) {
    const z = start[0] + i * step[0];
    const y = start[1] + i * step[1];
    const x = start[2] + i * step[2];
    if (z <= -1 || y <= -1 || x <= -1 || z >= depth || y >= height || x >= width) continue;
    const [z0, y0, x0] = [Math.floor(z), Math.floor(y), Math.floor(x)];
    const [fz, fy, fx] = [z - z0, y - y0, x - x0];
    let sum = 0;
    if (z0 >= 0 && y0 >= 0 && x0 >= 0 && z0 < depth - 1 && y0 < height - 1 && x0 < width - 1) {
      const p = z0 * plane + y0 * width + x0;
      const top = lerp(lerp(data[p], data[p + 1], fx), lerp(data[p + width], data[p + width + 1], fx), fy);
      const q = p + plane;
      const bottom = lerp(lerp(data[q], data[q + 1], fx), lerp(data[q + width], data[q + width + 1], fx), fy);
      sum = lerp(top, bottom, fz);
    } else {
      for (let corner = 0; corner < 8; corner++) {
        const cz = z0 + (corner >> 2);
        const cy = y0 + ((corner >> 1) & 1);
        const cx = x0 + (corner & 1);
        if (cz < 0 || cy < 0 || cx < 0 || cz >= depth || cy >= height || cx >= width) continue;
        const weight = (corner & 4 ? fz : 1 - fz) * (corner & 2 ? fy : 1 - fy) * (corner & 1 ? fx : 1 - fx);
        sum += weight * data[cz * plane + cy * width + cx];
      }
    }
    out[at + i] = sum;
  }
};

function lerp(a: number, b: number, f: number): number {
  return a + (b - a) * f;
}
