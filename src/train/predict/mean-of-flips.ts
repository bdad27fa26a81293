import { boxShape, type Shape3, type VoxelBox, voxelCount } from '../../imaging/index.ts';
import type { OutputPart } from '../../run/index.ts';
import { addFlipped, type Flip, flipBox } from './flips.ts';
import { floats, type SegmentedPart, voxelBox } from './volume-parts.ts';

/** Sums probabilities of flipped volumes, in float32 and in the order in which they come. */
export class MeanOfFlips {
  private readonly box: VoxelBox;
  private readonly flips: number;
  private readonly classes: number;
  private readonly sum: Float32Array;

  constructor(box: VoxelBox, flips: number, classes: number) {
    this.box = box;
    this.flips = flips;
    this.classes = classes;
    this.sum = new Float32Array(flips > 1 ? voxelCount(boxShape(box)) * classes : 0);
  }

  add(parts: readonly OutputPart[], shape: Shape3, flip: Flip): void {
    for (const { box, data } of parts)
      addFlipped(this.sum, this.box, floats(data), flipBox(voxelBox(box), shape, flip), flip, this.classes);
  }

  /** The mean over the flips, and its most likely classes: the lowest on a tie. */
  part(probabilities: boolean): SegmentedPart {
    const { box, sum, classes, flips } = this;
    return meanPart({ box, sum, classes }, flips, probabilities);
  }
}

/**
 * What `count` volumes say whose probabilities `sum` adds up: the most likely classes, the lowest on a tie, and the mean where it is
 * asked for, which takes the place of the sum. Of a power of two it is exact.
 */
export function meanPart(
  of: { readonly box: VoxelBox; readonly sum: Float32Array; readonly classes: number },
  count: number,
  probabilities: boolean,
): SegmentedPart {
  const { box, sum, classes } = of;
  const labels = new Uint8Array(voxelCount(boxShape(box)));
  for (let n = 0; n < labels.length; n++) {
    let best = 0;
    for (let c = 1; c < classes; c++) if (sum[n * classes + c] > sum[n * classes + best]) best = c;
    labels[n] = best;
  }
  if (probabilities) for (let n = 0; n < sum.length; n++) sum[n] /= count;
  return { box, labels, probabilities: probabilities ? sum : undefined };
}
