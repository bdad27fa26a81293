import { putBox } from '../volume/box-copy.ts';
import { type IntensityMap, normalize } from '../volume/normalization.ts';
import { boxPlacer, canonicalGrid, type SlicePlacer } from '../volume/orientation.ts';
import { type Grid, type Shape3, type VoxelArray, voxelCount } from '../volume/volume.ts';
import { boxShape, type VoxelBox, wholeBox } from '../volume/voxel-source.ts';
import { resampledPlanes } from './resample.ts';
import { type AxisTaps, axisTaps, sliceTaps, tapsReach } from './resample-taps.ts';

type Taps = readonly [AxisTaps, AxisTaps, AxisTaps];

/** Voxels of a box of a channel in RAS+ order and the type of its file, and how the whole channel is read at the shape `filled`. */
export interface HeldChannel {
  readonly voxels: VoxelArray;
  readonly held: VoxelBox;
  readonly filled: Shape3;
  readonly taps: Taps;
}

/**
 * Room for what a box of a channel reads of its stored grid once it is resampled to the shape `filled`, and what puts stored slices
 * there. `allocate` gives the array.
 */
export function holdChannel(
  stored: Grid,
  filled: Shape3,
  allocate: (voxels: number) => VoxelArray,
  part: VoxelBox = wholeBox(filled),
): { readonly channel: HeldChannel; readonly place: SlicePlacer } {
  const source = canonicalGrid(stored).shape;
  const taps = source.map((n, axis) => axisTaps(n, filled[axis])) as unknown as Taps;
  const held = reached(taps, within(part, filled));
  const voxels = allocate(voxelCount(boxShape(held)));
  return { channel: { voxels, held, filled, taps }, place: boxPlacer(stored, held, voxels) };
}

/** Whether a channel is read at its own shape. */
export const keepsVoxels = ({ taps }: HeldChannel): boolean =>
  taps.every(({ inSize, outSize }) => inSize === outSize);

/** The planes of a box of a resampled channel, not normalised; an array that is used again and may be changed. */
export function planesOf(
  { voxels, held, filled, taps }: HeldChannel,
  box: VoxelBox = wholeBox(filled),
): Iterable<Float32Array> {
  const need = reached(taps, box);
  const [, height, width] = boxShape(held);
  const [rows, columns] = [need.end[1] - need.start[1], need.end[2] - need.start[2]];
  const [k0, j0, i0] = need.start.map((at, axis) => at - held.start[axis]);
  const sliced = taps.map((axis, n) =>
    sliceTaps(axis, box.start[n], box.end[n], [need.start[n], need.end[n]]),
  ) as unknown as Taps;
  return resampledPlanes(sliced, (k, into) => {
    for (let j = 0; j < rows; j++) {
      const at = ((k + k0) * height + j + j0) * width + i0;
      into.set(voxels.subarray(at, at + columns), j * columns);
    }
  });
}

/** Puts a box of a channel, normalised, into `out`, which has the box's shape and is all 0: beyond what the scan fills there is air. */
export function putNormalized(
  channel: HeldChannel,
  map: IntensityMap,
  box: VoxelBox,
  out: Float32Array,
): void {
  if (map.range.outside !== 0) out.fill(map.range.outside);
  const inside = within(box, channel.filled);
  if (voxelCount(boxShape(inside)) === 0) return;
  const [first, j0, i0] = inside.start.map((at, axis) => at - box.start[axis]);
  const [, rows, columns] = boxShape(inside);
  const shape = boxShape(box);
  let k = first;
  for (const plane of planesOf(channel, inside)) {
    normalize(plane, map, plane);
    putBox(out, shape, { start: [k, j0, i0], end: [k + 1, j0 + rows, i0 + columns] }, plane);
    k++;
  }
}

/** What a box of the resampled channel reads of the channel in RAS+ order. */
function reached(taps: Taps, { start, end }: VoxelBox): VoxelBox {
  const ranges = taps.map((axis, n) => (end[n] > start[n] ? tapsReach(axis, start[n], end[n]) : [0, 0]));
  const side = (n: 0 | 1): Shape3 => [ranges[0][n], ranges[1][n], ranges[2][n]];
  return { start: side(0), end: side(1) };
}

/** The part of a box that the scan fills: beyond it there is air. */
function within({ start, end }: VoxelBox, filled: Shape3): VoxelBox {
  const clip = (at: Shape3): Shape3 => [
    Math.min(at[0], filled[0]),
    Math.min(at[1], filled[1]),
    Math.min(at[2], filled[2]),
  ];
  return { start: clip(start), end: clip(end) };
}
