import { arrayLike, type Shape3, type VoxelArray, voxelCount } from './volume.ts';
import { boxShape, type VoxelBox } from './voxel-source.ts';

/** The voxels of a box of a volume, row-major, in an array of their own. */
export function takeBox<T extends VoxelArray>(whole: T, shape: Shape3, box: VoxelBox): T {
  const out = arrayLike(whole, voxelCount(boxShape(box)));
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
