import { takeBox } from './box-copy.ts';
import { ClassCounter } from './class-counter.ts';
import type { PreparedCase } from './prepared-case.ts';
import type { Shape3 } from './volume.ts';
import type { ClassFacts, VoxelBox, VoxelSource } from './voxel-source.ts';

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

  get whole(): { readonly image: Float32Array; readonly labels?: Uint8Array } {
    return this.prepared;
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
    return Promise.resolve(takeBox(this.prepared.image, this.shape, box));
  }

  async labels(box: VoxelBox): Promise<Uint8Array> {
    const { labels, id } = this.prepared;
    if (labels === undefined) throw new RangeError(`case ${id} has no labels`);
    return takeBox(labels, this.shape, box);
  }
}
