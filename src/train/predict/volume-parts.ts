import type { Box } from '../../core/index.ts';
import { putBox, takeBox } from '../../imaging/volume/box-copy.ts';
import type { PreparedCase } from '../../imaging/volume/prepared-case.ts';
import { type Shape3, voxelCount } from '../../imaging/volume/volume.ts';
import { boxShape, channelOf, type VoxelBox, type VoxelSource } from '../../imaging/volume/voxel-source.ts';
import type { HostArray, Processes } from '../../machine/index.ts';

// Boxes of volumes on the host: out of a whole one, into one, and between processes.

/** A box of a segmentation. */
export interface SegmentedPart {
  readonly box: VoxelBox;
  /** The most likely class of every voxel, [depth, height, width]. */
  readonly labels: Uint8Array;
  /** [depth, height, width, class], where asked for. */
  readonly probabilities?: Float32Array;
}

/** A prepared case in memory, read box by box. */
export function sourceOf({ image, shape }: Pick<PreparedCase, 'image' | 'shape'>, id = 'scan'): VoxelSource {
  return {
    id,
    shape,
    channels: image.length / voxelCount(shape),
    image: async (box, channel = 0) => takeBox(channelOf(image, shape, channel), shape, box),
    labels: async () => {
      throw new RangeError('unreachable: a scan to segment has no labels');
    },
  };
}

/** Numbers of a box that one process has. */
export interface BoxBytes {
  readonly box: VoxelBox;
  readonly bytes: Uint8Array;
}

/**
 * Gives the boxes of all processes to `take` on the processes `to`, one after the other; all processes call it. A process holds
 * its own boxes and one of another at a time. `voxelBytes`: of a voxel of all boxes.
 */
export async function eachPart(
  processes: Processes | undefined,
  {
    label,
    parts,
    voxelBytes,
    to,
  }: {
    readonly label: string;
    readonly parts: readonly BoxBytes[];
    readonly voxelBytes: number;
    readonly to: readonly number[];
  },
  take: (part: BoxBytes) => void,
): Promise<void> {
  const own = processes?.index ?? 0;
  if (to.includes(own)) for (const part of parts) take(part);
  if (processes === undefined || processes.ranks.length === 1) return;
  const boxes = await processes.share(`boxes of ${label}`, JSON.stringify(parts.map(({ box }) => box)));
  for (const [from, text] of boxes.entries())
    for (const [n, box] of (JSON.parse(text) as VoxelBox[]).entries()) {
      const takers = to.filter((taker) => taker !== from);
      if (takers.length === 0) continue;
      const receives = takers.includes(own);
      const room = receives ? voxelBytes * voxelCount(boxShape(box)) : 0;
      const bytes = from === own ? parts[n].bytes : new Uint8Array(room);
      await processes.deliver(label, bytes, from, takers);
      if (receives) take({ box, bytes });
    }
}

/** Whole volumes of labels on the processes `to`, from the boxes that the processes computed; all call it. */
export async function gatherLabels(
  processes: Processes | undefined,
  found: readonly { readonly box: VoxelBox; readonly labels: Uint8Array }[],
  shape: Shape3,
  to: readonly number[] = [0],
): Promise<Uint8Array> {
  const wanted = to.includes(processes?.index ?? 0);
  const complete = found.length === 1 && found[0].labels.length === voxelCount(shape);
  const whole = !wanted ? new Uint8Array(0) : complete ? found[0].labels : new Uint8Array(voxelCount(shape));
  const parts = found.map(({ box, labels }) => ({ box, bytes: labels }));
  await eachPart(processes, { label: 'labels', parts, voxelBytes: 1, to }, ({ box, bytes }) => {
    if (bytes !== whole) putBox(whole, shape, box, bytes);
  });
  return whole;
}

/** Depth, height and width of the box of a tensor [batch, depth, height, width, ...]. */
export function voxelBox([, depth, height, width]: Box): VoxelBox {
  return {
    start: [depth.start, height.start, width.start],
    end: [depth.end, height.end, width.end],
  };
}

/** The smallest box that holds both; one without voxels adds nothing. */
export function hullOf(a: VoxelBox, b: VoxelBox): VoxelBox {
  if (voxelCount(boxShape(a)) === 0) return b;
  if (voxelCount(boxShape(b)) === 0) return a;
  const side = (key: 'start' | 'end', pick: (x: number, y: number) => number): Shape3 => [
    pick(a[key][0], b[key][0]),
    pick(a[key][1], b[key][1]),
    pick(a[key][2], b[key][2]),
  ];
  return { start: side('start', Math.min), end: side('end', Math.max) };
}

/** The voxels that two boxes share; a box without voxels where they share none. */
export function overlapOf(a: VoxelBox, b: VoxelBox): VoxelBox {
  const at = (axis: 0 | 1 | 2) => Math.max(a.start[axis], b.start[axis]);
  const start: Shape3 = [at(0), at(1), at(2)];
  const until = (axis: 0 | 1 | 2) => Math.max(start[axis], Math.min(a.end[axis], b.end[axis]));
  return { start, end: [until(0), until(1), until(2)] };
}

/** Where a box lies as seen from the first voxel of another. */
export function within({ start, end }: VoxelBox, outer: VoxelBox): VoxelBox {
  const from = (at: Shape3): Shape3 => {
    const [k, j, i] = at.map((n, axis) => n - outer.start[axis]);
    return [k, j, i];
  };
  return { start: from(start), end: from(end) };
}

/** Numbers as their bytes, and back. */
export const bytesOf = (numbers: Float32Array): Uint8Array =>
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
export const floatsOf = (bytes: Uint8Array): Float32Array =>
  new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);

export const floats = (data: HostArray): Float32Array =>
  data instanceof Float32Array ? data : Float32Array.from(data);
