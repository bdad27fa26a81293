import type { Shape3 } from '../volume/volume.ts';

/**
 * The codes of the cells between the voxels of a box, for one class of a label map: cell (z, y, x) lies between voxels z - 1 and z, y - 1 and y,
 * x - 1 and x of the box, and what is outside of the box is outside of the class. Made slice by slice.
 */
export class SurfaceCodes {
  /** Cells along depth, height, width: one more than voxels. */
  readonly cells: Shape3;
  private readonly labels: Uint8Array;
  private readonly shape: Shape3;
  private readonly label: number;
  private readonly box: ClassBox;
  private readonly codes: Uint8Array;
  /** Which slice of voxels `upper` was made of. */
  private at = -2;
  /** The four bits of the slice of voxels below and above the last slice of cells. */
  private lower: Uint8Array;
  private upper: Uint8Array;

  constructor(labels: Uint8Array, shape: Shape3, label: number, box: ClassBox) {
    const [depth, height, width] = box.shape;
    this.labels = labels;
    this.shape = shape;
    this.label = label;
    this.box = box;
    this.cells = [depth + 1, height + 1, width + 1];
    const plane = this.cells[1] * this.cells[2];
    this.codes = new Uint8Array(plane);
    this.lower = new Uint8Array(plane);
    this.upper = new Uint8Array(plane);
  }

  /** The codes of a slice of cells, [height, width]; the array is used again. Quickest in order. */
  slice(k: number): Uint8Array {
    const { codes } = this;
    if (this.at !== k - 1) this.read(k - 1);
    [this.lower, this.upper] = [this.upper, this.lower];
    this.read(k);
    const { lower, upper } = this;
    for (let n = 0; n < codes.length; n++) codes[n] = lower[n] | (upper[n] << 4);
    return codes;
  }

  /** Puts into `upper` which of the four voxels around each cell in slice z of the box are inside. */
  private read(z: number): void {
    const { upper, labels, label, box, shape, cells } = this;
    upper.fill(0);
    this.at = z;
    if (z < 0 || z >= box.shape[0]) return;
    const across = cells[2];
    for (let y = 0; y < box.shape[1]; y++) {
      const row = ((box.from[0] + z) * shape[1] + box.from[1] + y) * shape[2] + box.from[2];
      const cell = y * across;
      for (let x = 0; x < box.shape[2]; x++) {
        if (labels[row + x] !== label) continue;
        // A voxel is at the far corner of the cell of its own number, and at the near one of the next.
        const n = cell + x;
        upper[n] |= 8;
        upper[n + 1] |= 4;
        upper[n + across] |= 2;
        upper[n + across + 1] |= 1;
      }
    }
  }
}

/** A range of voxels along each axis. */
export interface ClassBox {
  readonly from: Shape3;
  readonly shape: Shape3;
}

/** The smallest box that holds all voxels of a class in some label maps; undefined where there are none. */
export function boxOf(maps: readonly Uint8Array[], shape: Shape3, label: number): ClassBox | undefined {
  const [depth, height, width] = shape;
  const low = [depth, height, width];
  const high = [-1, -1, -1];
  for (const map of maps)
    for (let k = 0; k < depth; k++)
      for (let j = 0; j < height; j++) {
        const row = (k * height + j) * width;
        let i = 0;
        while (i < width && map[row + i] !== label) i++;
        if (i === width) continue;
        let last = width - 1;
        while (map[row + last] !== label) last--;
        for (const [axis, first, end] of [
          [0, k, k],
          [1, j, j],
          [2, i, last],
        ]) {
          if (first < low[axis]) low[axis] = first;
          if (end > high[axis]) high[axis] = end;
        }
      }
  if (high[0] < 0) return undefined;
  const extent = (axis: number): number => high[axis] - low[axis] + 1;
  return { from: [low[0], low[1], low[2]], shape: [extent(0), extent(1), extent(2)] };
}
