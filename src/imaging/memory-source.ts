import type { PreparedCase } from './prepared-case.ts';
import { ClassCounter } from './store/class-counter.ts';
import type { Shape3 } from './volume.ts';
import { boxShape, type ClassFacts, type VoxelBox, type VoxelSource } from './voxel-source.ts';

/** A prepared case in memory, read a box at a time. */
export class MemorySource implements VoxelSource {
  readonly id: string;
  readonly shape: Shape3;
  private readonly prepared: Pick<PreparedCase, 'id' | 'image' | 'labels' | 'shape'>;
  private readonly names: readonly string[] | undefined;
  private facts: readonly ClassFacts[] | undefined;

  /** `names`: of label values 0, 1, 2..., where they are known. */
  constructor(prepared: Pick<PreparedCase, 'id' | 'image' | 'labels' | 'shape'>, names?: readonly string[]) {
    this.id = prepared.id;
    this.shape = prepared.shape;
    this.prepared = prepared;
    this.names = names;
  }

  get classes(): readonly ClassFacts[] | undefined {
    const { image, labels } = this.prepared;
    if (labels === undefined) return undefined;
    if (this.facts === undefined) {
      const counter = new ClassCounter();
      counter.add(image, labels);
      this.facts = counter.facts(this.names?.length);
    }
    return this.facts;
  }

  image(box: VoxelBox): Promise<Float32Array> {
    return Promise.resolve(cut(this.prepared.image, this.shape, box));
  }

  async labels(box: VoxelBox): Promise<Uint8Array> {
    const { labels, id } = this.prepared;
    if (labels === undefined) throw new RangeError(`case ${id} has no labels`);
    return cut(labels, this.shape, box);
  }
}

/** The voxels of a box of a whole volume, as a copy. */
function cut<T extends Float32Array | Uint8Array>(whole: T, [, height, width]: Shape3, box: VoxelBox): T {
  const [depth, rows, columns] = boxShape(box);
  const out = new (whole.constructor as new (length: number) => T)(depth * rows * columns);
  for (let k = 0; k < depth; k++)
    for (let j = 0; j < rows; j++) {
      const from = ((box.start[0] + k) * height + box.start[1] + j) * width + box.start[2];
      out.set(whole.subarray(from, from + columns), (k * rows + j) * columns);
    }
  return out;
}
