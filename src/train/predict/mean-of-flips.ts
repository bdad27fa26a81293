import { boxShape, type Shape3, type VoxelBox, voxelCount } from '../../imaging/index.ts';
import type { OutputPart } from '../../run/index.ts';
import { addFlipped, type Flip, flipBox } from './flips.ts';
import { floats, type SegmentedPart, voxelBox } from './volume-parts.ts';

/** Sums probabilities of flipped volumes, in float32 and in the order in which they come. */
export class MeanOfFlips {
  private readonly box: VoxelBox;
  private readonly flips: number;
  private readonly classes: number;
  private readonly written: readonly number[] | undefined;
  private readonly sum: Float32Array;

  /** `written`: the class of each region, where the probabilities are those of regions. */
  constructor(box: VoxelBox, flips: number, classes: number, written?: readonly number[]) {
    this.box = box;
    this.flips = flips;
    this.classes = classes;
    this.written = written;
    this.sum = new Float32Array(flips > 1 ? voxelCount(boxShape(box)) * classes : 0);
  }

  add(parts: readonly OutputPart[], shape: Shape3, flip: Flip): void {
    for (const { box, data } of parts)
      addFlipped(this.sum, this.box, floats(data), flipBox(voxelBox(box), shape, flip), flip, this.classes);
  }

  /** The mean over the flips, and its most likely classes, or the regions above 1/2. */
  part(probabilities: boolean): SegmentedPart {
    const { box, sum, classes, flips, written } = this;
    return meanPart({ box, sum, classes, written }, flips, probabilities);
  }
}

/** What the sums of probabilities mean. */
export interface SummedProbabilities {
  readonly box: VoxelBox;
  /** [depth, height, width, class or region] */
  readonly sum: Float32Array;
  /** How many classes, or regions, there are. */
  readonly classes: number;
  /** The class that each region is written with; absent where the probabilities are those of classes. */
  readonly written?: readonly number[];
}

/**
 * What `count` volumes say whose probabilities `sum` adds up: the most likely classes, the lowest on a tie, or the last of the regions
 * above 1/2; and the mean where it is asked for, which takes the place of the sum. Of a power of two it is exact.
 */
export function meanPart(of: SummedProbabilities, count: number, probabilities: boolean): SegmentedPart {
  const { box, sum, classes, written } = of;
  const labels = new Uint8Array(voxelCount(boxShape(box)));
  if (written !== undefined) {
    for (let n = 0; n < labels.length; n++)
      for (let c = 0; c < classes; c++) if (sum[n * classes + c] > count / 2) labels[n] = written[c];
  } else
    for (let n = 0; n < labels.length; n++) {
      let best = 0;
      for (let c = 1; c < classes; c++) if (sum[n * classes + c] > sum[n * classes + best]) best = c;
      labels[n] = best;
    }
  if (probabilities) for (let n = 0; n < sum.length; n++) sum[n] /= count;
  return { box, labels, probabilities: probabilities ? sum : undefined };
}
