import { takeBox } from './box-copy.ts';
import { ClassCounter, factsOfChannels } from './class-counter.ts';
import type { IntensityRange } from './normalization.ts';
import type { PreparedCase } from './prepared-case.ts';
import { type Shape3, voxelCount } from './volume.ts';
import { type ClassFacts, channelOf, type VoxelBox, type VoxelSource } from './voxel-source.ts';

type Kept = Pick<PreparedCase, 'id' | 'image' | 'labels' | 'shape' | 'ranges'>;

/** A prepared case in memory, read a box at a time. */
export class MemorySource implements VoxelSource {
  readonly id: string;
  readonly shape: Shape3;
  private readonly prepared: Kept;
  private readonly names: readonly string[] | undefined;
  private facts: readonly ClassFacts[] | undefined;

  /** `names`: of label values 0, 1, 2..., where they are known. */
  constructor(prepared: Kept, names?: readonly string[]) {
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
      const counters = Array.from({ length: this.channels }, () => new ClassCounter());
      for (const [channel, counter] of counters.entries())
        counter.add(channelOf(image, this.shape, channel), labels);
      this.facts = factsOfChannels(counters, this.names?.length);
    }
    return this.facts;
  }

  get channels(): number {
    return this.prepared.image.length / voxelCount(this.shape);
  }

  get ranges(): readonly IntensityRange[] | undefined {
    return this.prepared.ranges;
  }

  image(box: VoxelBox, channel = 0): Promise<Float32Array> {
    return Promise.resolve(takeBox(channelOf(this.prepared.image, this.shape, channel), this.shape, box));
  }

  async labels(box: VoxelBox): Promise<Uint8Array> {
    const { labels, id } = this.prepared;
    if (labels === undefined) throw new RangeError(`case ${id} has no labels`);
    return takeBox(labels, this.shape, box);
  }
}
