import {
  boxShape,
  type PreparedCase,
  type Shape3,
  type VoxelArray,
  type VoxelBox,
  type VoxelSource,
  voxelCount,
} from '../imaging/index.ts';
import type { Processes } from '../machine/index.ts';

// Boxes of volumes on the host: out of a whole one, into one, and between processes.

/** A prepared case in memory, read box by box. */
export function sourceOf({ image, shape }: Pick<PreparedCase, 'image' | 'shape'>, id = 'scan'): VoxelSource {
  return {
    id,
    shape,
    image: async (box) => takeBox(image, shape, box),
    labels: async () => {
      throw new RangeError('unreachable: a scan to segment has no labels');
    },
  };
}

/** The voxels of a box of a volume, row-major, in an array of their own. */
export function takeBox(whole: Float32Array, shape: Shape3, box: VoxelBox): Float32Array {
  const out = new Float32Array(voxelCount(boxShape(box)));
  eachRow(shape, box, (inWhole, inBox, width) => {
    out.set(whole.subarray(inWhole, inWhole + width), inBox);
  });
  return out;
}

/** Writes the voxels of a box into a volume. */
export function putBox(whole: VoxelArray, shape: Shape3, box: VoxelBox, voxels: VoxelArray): void {
  eachRow(shape, box, (inWhole, inBox, width) => {
    whole.set(voxels.subarray(inBox, inBox + width), inWhole);
  });
}

function eachRow(
  [, height, width]: Shape3,
  box: VoxelBox,
  visit: (inWhole: number, inBox: number, width: number) => void,
): void {
  const [depth, rows, columns] = boxShape(box);
  const [k0, j0, i0] = box.start;
  for (let k = 0; k < depth; k++)
    for (let j = 0; j < rows; j++)
      visit(((k + k0) * height + j + j0) * width + i0, (k * rows + j) * columns, columns);
}

/**
 * Brings boxes of labels that several processes computed into whole volumes on the processes `to`; all processes call it. A
 * process holds its own boxes, and the ones in `to` one foreign box at a time beside the whole.
 */
export async function gatherLabels(
  processes: Processes | undefined,
  parts: readonly { readonly box: VoxelBox; readonly labels: Uint8Array }[],
  shape: Shape3,
  to: readonly number[] = [0],
): Promise<Uint8Array> {
  const host = processes?.host ?? 0;
  const wanted = processes === undefined || to.includes(host);
  if (wanted && parts.length === 1 && parts[0].labels.length === voxelCount(shape)) return parts[0].labels;
  const whole = new Uint8Array(wanted ? voxelCount(shape) : 0);
  if (wanted) for (const { box, labels } of parts) putBox(whole, shape, box, labels);
  if (processes === undefined || processes.hosts.length === 1) return whole;
  const boxes = await processes.share('boxes of labels', JSON.stringify(parts.map(({ box }) => box)));
  for (const [from, text] of boxes.entries())
    for (const [n, box] of (JSON.parse(text) as VoxelBox[]).entries()) {
      const takers = to.filter((taker) => taker !== from);
      if (takers.length === 0) continue;
      const receives = takers.includes(host);
      const bytes =
        from === host ? parts[n].labels : new Uint8Array(receives ? voxelCount(boxShape(box)) : 0);
      await processes.deliver('labels', bytes, from, takers);
      if (receives) putBox(whole, shape, box, bytes);
    }
  return whole;
}
