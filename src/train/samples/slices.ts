import { type Range, range } from '../../core/index.ts';
import { type Shape3, voxelCount } from '../../imaging/volume/volume.ts';
import { boxShape, type VoxelBox } from '../../imaging/volume/voxel-source.ts';

// The 2-D mode: a slice is an image whose channels are the slices around it. Channel c of slice k of n adjacent ones is slice
// k + c - (n - 1) / 2; beyond an end of the volume the outermost slice is repeated, since what lies there is no air.

/** Reads the image of a box, row-major (depth, height, width). */
export type BoxImage = (box: VoxelBox) => Promise<Float32Array>;

/** The slices that a box of slices has as its channels, one after the other, as far as the volume of so many slices goes. */
export function slabOf({ start, end }: VoxelBox, depth: number, channels: Range, adjacent: number): VoxelBox {
  if (voxelCount(boxShape({ start, end })) === 0) return { start, end };
  const inside = (k: number): number => Math.min(Math.max(k, 0), depth - 1);
  const from = start[0] + channels.start - (adjacent - 1) / 2;
  const last = end[0] - 1 + channels.end - 1 - (adjacent - 1) / 2;
  return {
    start: start.with(0, inside(from)) as unknown as Shape3,
    end: end.with(0, inside(last) + 1) as unknown as Shape3,
  };
}

/** Slices with their channels, [depth, height, width, channel], from the slab that {@link slabOf} tells of them. */
export function channelsOf(
  slab: Float32Array,
  box: VoxelBox,
  depth: number,
  channels: Range,
  adjacent: number,
): Float32Array {
  const [slices, height, width] = boxShape(box);
  const count = channels.end - channels.start;
  const plane = height * width;
  const first = slabOf(box, depth, channels, adjacent).start[0];
  const out = new Float32Array(voxelCount([slices, height, width]) * count);
  for (let k = 0; k < slices; k++)
    for (let c = 0; c < count; c++) {
      const neighbour = box.start[0] + k + channels.start + c - (adjacent - 1) / 2;
      const from = (Math.min(Math.max(neighbour, 0), depth - 1) - first) * plane;
      for (let i = 0, to = k * plane * count + c; i < plane; i++, to += count) out[to] = slab[from + i];
    }
  return out;
}

/** Reads boxes of slices with their channels, all by default, of a volume of so many slices. */
export async function readSlices(
  image: BoxImage,
  depth: number,
  adjacent: number,
  box: VoxelBox,
  channels: Range = range(0, adjacent),
): Promise<Float32Array> {
  return channelsOf(await image(slabOf(box, depth, channels, adjacent)), box, depth, channels, adjacent);
}
