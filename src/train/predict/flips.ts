import { boxShape, type Shape3, type VoxelBox, type VoxelSource } from '../../imaging/index.ts';
import { FLIP_AXES, type FlipAxis } from '../config/choices.ts';
import type { BoxImage } from '../samples/slices.ts';

export { FLIP_AXES, type FlipAxis };

/** Axes of a volume that are turned around: depth, height, width. */
export type Flip = readonly [depth: boolean, height: boolean, width: boolean];

/** All ways to turn some of the axes around, none of them first: 8 for three axes. */
export function flipsOf(axes: readonly FlipAxis[]): Flip[] {
  const all: Flip[] = [];
  for (let n = 0; n < 8; n++) {
    const flip: Flip = [(n & 1) > 0, (n & 2) > 0, (n & 4) > 0];
    if (flip.every((turned, axis) => !turned || axes.includes(FLIP_AXES[axis]))) all.push(flip);
  }
  return all;
}

/** Where a box of a volume lies once the volume is flipped; the other way round the same. */
export function flipBox({ start, end }: VoxelBox, shape: Shape3, flip: Flip): VoxelBox {
  const side = (from: Shape3, mirrored: Shape3): Shape3 => {
    const at = (axis: 0 | 1 | 2) => (flip[axis] ? shape[axis] - mirrored[axis] : from[axis]);
    return [at(0), at(1), at(2)];
  };
  return { start: side(start, end), end: side(end, start) };
}

/** The numbers of a box, row-major, in the order that they have once the volume is flipped. */
export function flipNumbers(data: Float32Array, shape: Shape3, flip: Flip): Float32Array {
  if (!flip.some(Boolean)) return data;
  const out = new Float32Array(data.length);
  const box = { start: [0, 0, 0], end: shape } as const;
  visitRows(box, box, flip, 1, (from, step, to) => {
    for (let i = 0, at = from; i < shape[2]; i++, at += step) out[to + i] = data[at];
  });
  return out;
}

/** A channel of the image of a source, as the flipped volume has it. */
export function flippedImage(source: VoxelSource, flip: Flip, channel: number): BoxImage {
  return async (box) => {
    const wanted = flipBox(box, source.shape, flip);
    return flipNumbers(await source.image(wanted, channel), boxShape(wanted), flip);
  };
}

/**
 * Adds to `sum`, the numbers of `box`, those of `part`, a box inside it whose numbers come in the order of the flipped volume.
 * Both are row-major with `channels` numbers a voxel.
 */
export function addFlipped(
  sum: Float32Array,
  box: VoxelBox,
  numbers: Float32Array,
  part: VoxelBox,
  flip: Flip,
  channels: number,
): void {
  const width = boxShape(part)[2];
  visitRows(box, part, flip, channels, (from, step, to) => {
    for (let i = 0, at = from; i < width; i++, at += step)
      for (let c = 0; c < channels; c++) sum[to + i * channels + c] += numbers[at + c];
  });
}

/** For every row of a part of a box: where its flipped numbers begin and how far its voxels lie apart there, and where it begins in the box. */
function visitRows(
  box: VoxelBox,
  part: VoxelBox,
  [turnK, turnJ, turnI]: Flip,
  channels: number,
  visit: (from: number, step: number, to: number) => void,
): void {
  const [, rows, columns] = boxShape(box);
  const [depth, height, width] = boxShape(part);
  const [k0, j0, i0] = part.start.map((at, axis) => at - box.start[axis]);
  for (let k = 0; k < depth; k++)
    for (let j = 0; j < height; j++) {
      const row = ((turnK ? depth - 1 - k : k) * height + (turnJ ? height - 1 - j : j)) * width;
      const from = (row + (turnI ? width - 1 : 0)) * channels;
      visit(from, turnI ? -channels : channels, (((k + k0) * rows + j + j0) * columns + i0) * channels);
    }
}
