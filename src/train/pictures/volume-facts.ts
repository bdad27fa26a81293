import type { Shape3, VoxelBox } from '../../imaging/index.ts';
import { bestSlices, countForeground, type PlaneCounts, type View } from './slice.ts';

/** What the picture of a volume depends on beside its slices: whole numbers that are counted over boxes and add up. */
export class VolumeFacts {
  private readonly planes: PlaneCounts;
  /** Voxels of each label in any map. */
  private readonly seen = new Float64Array(256);
  /** Voxels by brightness, of those that no end of the window cut off. */
  private readonly bins = new Float64Array(256);

  /** `shape`: of the whole volume. */
  constructor([depth, height, width]: Shape3) {
    this.planes = [new Float64Array(depth), new Float64Array(height), new Float64Array(width)];
  }

  /** Takes label maps of a box. */
  addMaps(maps: readonly Uint8Array[], box: VoxelBox): void {
    countForeground(this.planes, maps, box);
    for (const map of maps) for (let n = 0; n < map.length; n++) this.seen[map[n]]++;
  }

  /** Takes voxels of the image, 0 to 1. */
  addImage(values: Float32Array): void {
    const { bins } = this;
    for (let n = 0; n < values.length; n++) {
      const value = values[n];
      if (value > 0 && value < 1) bins[Math.floor(value * 256)]++;
    }
  }

  /** All counts. */
  get numbers(): number[] {
    return [...this.planes, this.seen, this.bins].flatMap((counts) => [...counts]);
  }

  /** Adds the numbers of other boxes of the same volume. */
  add(numbers: readonly number[]): void {
    let at = 0;
    for (const counts of [...this.planes, this.seen, this.bins])
      for (let n = 0; n < counts.length; n++) counts[n] += numbers[at++];
  }

  /** Where each view cuts the volume. */
  get at(): Readonly<Record<View, number>> {
    return bestSlices(this.planes);
  }

  /** Labels above 0, in rising order. */
  get labels(): number[] {
    return Array.from(this.seen.keys()).filter((label) => label > 0 && this.seen[label] > 0);
  }

  /** What lies between the 3rd and the 99th percentile of all values that no end of the window cut off, and a little more. */
  get range(): readonly [from: number, to: number] {
    const { bins } = this;
    const total = bins.reduce((a, b) => a + b, 0);
    if (total === 0) return [0, 1];
    const percentile = (share: number): number => {
      let [sum, bin] = [0, -1];
      while (sum < share * total) sum += bins[++bin];
      return bin / 256;
    };
    return [Math.max(0, percentile(0.03) - 0.04), Math.min(1, percentile(0.99) + 0.04)];
  }
}
