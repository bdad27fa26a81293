import type { VoxelArray } from './volume.ts';
import type { ClassFacts } from './voxel-source.ts';

/** Counts the voxels of each label and their mean brightness. The order of calls decides the last bit: planes come from k = 0. */
export class ClassCounter {
  private readonly counts = new Float64Array(256);
  private readonly sums = new Float64Array(256);

  /** Takes voxels (windowed, 0..1, for what a VoxelSource tells) and their labels. */
  add(image: VoxelArray, labels: Uint8Array): void {
    for (let n = 0; n < labels.length; n++) {
      this.counts[labels[n]]++;
      this.sums[labels[n]] += image[n];
    }
  }

  /** Voxels of one label. */
  countOf(label: number): number {
    return this.counts[label];
  }

  /** The highest label below a limit that was seen; -1 where none was. */
  highestBelow(limit: number): number {
    return this.counts.subarray(0, limit).findLastIndex((count) => count > 0);
  }

  /** Of label values 0 to `classes` - 1, or to the highest that was seen. */
  facts(classes?: number): ClassFacts[] {
    const all = classes ?? this.counts.findLastIndex((count) => count > 0) + 1;
    return Array.from({ length: all }, (_, label) => {
      const count = this.counts[label];
      return { count, mean: count === 0 ? 0 : this.sums[label] / count };
    });
  }
}

/** What counters of the channels of one image say of label values 0 to `classes` - 1, or to the highest that was seen. */
export function factsOfChannels(counters: readonly ClassCounter[], classes?: number): ClassFacts[] {
  const facts = counters.map((counter) => counter.facts(classes));
  if (facts.length === 1) return facts[0];
  return facts[0].map((first, label) => ({ ...first, means: facts.map((of) => of[label].mean) }));
}
