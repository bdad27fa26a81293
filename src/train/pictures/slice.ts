import type { Shape3, VoxelBox } from '../../imaging/index.ts';
import type { Point } from './raster.ts';

// Slices of volumes in canonical order ([depth, height, width]; depth to the head, height to the front, width to the right) as
// radiologists look at them: the patient's right on the left of the picture, the front on top or on the left, the head on top.
//
//   view      across    columns           rows
//   axial     depth     width, turned     height, turned
//   coronal   height    width, turned     depth, turned
//   sagittal  width     height, turned    depth, turned

export const VIEW_NAMES = ['axial', 'coronal', 'sagittal'] as const;
export type View = (typeof VIEW_NAMES)[number];

/** Which axis of a volume (0 depth, 1 height, 2 width) a view goes across, and which are its columns and rows. */
export const VIEWS: Readonly<
  Record<
    View,
    {
      readonly across: 0 | 1 | 2;
      readonly columns: 0 | 1 | 2;
      readonly rows: 0 | 1 | 2;
      /** Directions at the left, right, top and bottom edge. */
      readonly letters: readonly [left: string, right: string, top: string, bottom: string];
    }
  >
> = {
  axial: { across: 0, columns: 2, rows: 1, letters: ['R', 'L', 'A', 'P'] },
  coronal: { across: 1, columns: 2, rows: 0, letters: ['R', 'L', 'S', 'I'] },
  sagittal: { across: 2, columns: 1, rows: 0, letters: ['A', 'P', 'S', 'I'] },
};

/** One slice as the viewer sees it, row by row from the top left. */
export interface Slice<T> {
  readonly data: T;
  readonly columns: number;
  readonly rows: number;
}

/** Cuts slice number `at` out of a volume; of a picture as it lies in its file, not `turned`. */
export function sliceOf<T extends Float32Array | Uint8Array>(
  volume: T,
  shape: Shape3,
  view: View,
  at: number,
  turned = true,
): Slice<T> {
  const { across, columns, rows } = VIEWS[view];
  const strides = [shape[1] * shape[2], shape[2], 1];
  const [width, height] = [shape[columns], shape[rows]];
  const data = new (volume.constructor as new (length: number) => T)(width * height);
  for (let r = 0; r < height; r++)
    for (let c = 0; c < width; c++) {
      const [row, column] = turned ? [height - 1 - r, width - 1 - c] : [r, c];
      data[r * width + c] = volume[at * strides[across] + row * strides[rows] + column * strides[columns]];
    }
  return { data, columns: width, rows: height };
}

/** A slice of far more voxels than it is shown with: one of so many along each axis. */
export function thinned<T extends Float32Array | Uint8Array>(
  { data, columns, rows }: Slice<T>,
  shown: { readonly width: number; readonly height: number },
): Slice<T> {
  const step = Math.floor(Math.min(columns / shown.width, rows / shown.height));
  if (step < 2) return { data, columns, rows };
  const [width, height] = [Math.floor(columns / step), Math.floor(rows / step)];
  const out = new (data.constructor as new (length: number) => T)(width * height);
  const first = step >> 1;
  for (let r = 0; r < height; r++)
    for (let c = 0; c < width; c++)
      out[r * width + c] = data[(r * step + first) * columns + c * step + first];
  return { data: out, columns: width, rows: height };
}

/** Voxels of the foreground in each plane across depth, height and width. */
export type PlaneCounts = readonly [Float64Array, Float64Array, Float64Array];

/** Adds the voxels of a box that are foreground (labels above 0) in any of some maps of it. */
export function countForeground(
  counts: PlaneCounts,
  maps: readonly Uint8Array[],
  { start, end }: VoxelBox,
): void {
  let n = 0;
  for (let k = start[0]; k < end[0]; k++)
    for (let j = start[1]; j < end[1]; j++)
      for (let i = start[2]; i < end[2]; i++, n++) {
        if (!maps.some((map) => map[n] !== 0)) continue;
        counts[0][k]++;
        counts[1][j]++;
        counts[2][i]++;
      }
}

/**
 * For each view the slice with the most foreground; the middle of the volume where there is none. Of equally good slices the one
 * nearest to the middle of all that is foreground.
 */
export function bestSlices(counts: PlaneCounts): Readonly<Record<View, number>> {
  const best = (count: Float64Array): number => {
    const total = count.reduce((a, b) => a + b, 0);
    if (total === 0) return Math.floor(count.length / 2);
    const middle = count.reduce((sum, n, at) => sum + n * at, 0) / total;
    let found = 0;
    count.forEach((n, at) => {
      if (n > count[found] || (n === count[found] && Math.abs(at - middle) < Math.abs(found - middle)))
        found = at;
    });
    return found;
  };
  return { axial: best(counts[0]), coronal: best(counts[1]), sagittal: best(counts[2]) };
}

/**
 * The outline of a label in a slice as closed lines (marching squares): between the centre of a voxel that has the label and the
 * centre of a neighbour that has not, it passes half-way. In units of voxels, where voxel (c, r) covers c..c+1 by r..r+1.
 */
export function contours({ data, columns, rows }: Slice<Uint8Array>, label: number): Point[][] {
  const inside = (c: number, r: number): number =>
    c >= 0 && r >= 0 && c < columns && r < rows && data[r * columns + c] === label ? 1 : 0;
  // Every cell has voxel centres as corners; the outline enters and leaves it at the middles of its edges. So exactly one way
  // leads on from each of them.
  const next = new Map<string, Point>();
  for (let r = -1; r < rows; r++)
    for (let c = -1; c < columns; c++) {
      const code = inside(c, r) + 2 * inside(c + 1, r) + 4 * inside(c + 1, r + 1) + 8 * inside(c, r + 1);
      if (code === 0 || code === 15) continue;
      const [top, right]: Point[] = [
        [c + 1, r + 0.5],
        [c + 1.5, r + 1],
      ];
      const [bottom, left]: Point[] = [
        [c + 1, r + 1.5],
        [c + 0.5, r + 1],
      ];
      // With the label on the left hand of the way. Two voxels that touch at a corner stay apart.
      const ways: Readonly<Record<number, readonly (readonly [Point, Point])[]>> = {
        1: [[top, left]],
        2: [[right, top]],
        3: [[right, left]],
        4: [[bottom, right]],
        5: [
          [top, left],
          [bottom, right],
        ],
        6: [[bottom, top]],
        7: [[bottom, left]],
        8: [[left, bottom]],
        9: [[top, bottom]],
        10: [
          [right, top],
          [left, bottom],
        ],
        11: [[right, bottom]],
        12: [[left, right]],
        13: [[top, right]],
        14: [[left, top]],
      };
      for (const [from, to] of ways[code]) next.set(from.join(), to);
    }
  return chain(next);
}

/** Joins directed steps to closed lines. */
function chain(next: Map<string, Point>): Point[][] {
  const lines: Point[][] = [];
  for (const [start, first] of next) {
    const line: Point[] = [first];
    for (let key = first.join(); key !== start; key = line[line.length - 1].join()) {
      line.push(next.get(key)!);
      next.delete(key);
    }
    line.push(first);
    next.delete(start);
    lines.push(line);
  }
  return lines;
}
