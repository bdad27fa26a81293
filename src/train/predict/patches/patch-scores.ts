import {
  boxShape,
  channelOf,
  type Grid,
  type NnunetCase,
  putBox,
  resampleSpline,
  type Shape3,
  type SplineResampling,
  spacingOf,
  takeBox,
  toCanonical,
  type VoxelBox,
  type VoxelSource,
  voxelCount,
  wholeBox,
} from '../../../imaging/index.ts';
import { overlapOf, type SegmentedPart, within } from '../volume-parts.ts';
import { gaussianWeights } from './sliding-window.ts';

// Windows of a prepared scan, what their scores add up to, and the classes that these give on the voxels of the file.

/** A prepared scan with room for a window along every axis, half of what it lacks on either side. */
export interface Padded {
  readonly shape: Shape3;
  /** The box of it that the scan fills. */
  readonly filled: VoxelBox;
  /** The image of a window that begins there. */
  at(start: Shape3): VoxelSource;
}

/** `outside`: what stands beyond the scan. */
export function paddedSource({ image, shape }: NnunetCase, window: Shape3, outside: number): Padded {
  const size = shapeOf((axis) => Math.max(shape[axis], window[axis]));
  const first = shapeOf((axis) => Math.floor((size[axis] - shape[axis]) / 2));
  const filled = { start: first, end: shapeOf((axis) => first[axis] + shape[axis]) };
  const channels = image.length / voxelCount(shape);
  return {
    shape: size,
    filled,
    at: (start) => ({
      id: 'window',
      shape: window,
      channels,
      async image(box, channel = 0) {
        const place = (at: Shape3) => shapeOf((axis) => at[axis] + start[axis]);
        const asked = { start: place(box.start), end: place(box.end) };
        const seen = overlapOf(asked, filled);
        const numbers = takeBox(channelOf(image, shape, channel), shape, within(seen, filled));
        const whole = boxShape(asked);
        if (numbers.length === voxelCount(whole)) return numbers;
        const out = new Float32Array(voxelCount(whole)).fill(outside);
        putBox(out, whole, within(seen, asked), numbers);
        return out;
      },
      async labels() {
        throw new RangeError('unreachable: a scan to segment has no labels');
      },
    }),
  };
}

/** Adds up the scores of windows, [depth, height, width, class], in float32 and in the order in which they come. */
export class ScoreSum {
  private readonly padded: Padded;
  private readonly size: Shape3;
  private readonly classes: number;
  /** Of the voxels of a window; one that has no others beside it needs none. */
  private readonly weights: Float32Array | undefined;
  private readonly sum: Float32Array;
  private readonly total: Float32Array;
  private readonly scores: Float32Array;

  constructor(padded: Padded, size: Shape3, classes: number) {
    const voxels = voxelCount(boxShape(padded.filled));
    this.padded = padded;
    this.size = size;
    this.classes = classes;
    this.weights = padded.shape.every((n, axis) => n === size[axis]) ? undefined : gaussianWeights(size);
    this.sum = new Float32Array(voxels * classes);
    this.total = new Float32Array(voxels);
    this.scores = new Float32Array(voxelCount(size) * classes);
  }

  get byteLength(): number {
    return this.sum.byteLength + this.total.byteLength + this.scores.byteLength;
  }

  /** Room for the scores of the next window, to be added to: all 0. */
  window(): Float32Array {
    return this.scores.fill(0);
  }

  /** Adds the mean of `count` scores that the room holds the sum of, of the window that begins there. */
  add(start: Shape3, count: number): void {
    const { padded, size, classes, weights, scores, sum, total } = this;
    const end = shapeOf((axis) => start[axis] + size[axis]);
    const seen = overlapOf({ start, end }, padded.filled);
    const [inScan, inWindow] = [within(seen, padded.filled), within(seen, { start, end })];
    const [, rows, columns] = boxShape(padded.filled);
    const [depth, height, width] = boxShape(seen);
    for (let k = 0; k < depth; k++)
      for (let j = 0; j < height; j++) {
        const to = ((inScan.start[0] + k) * rows + inScan.start[1] + j) * columns + inScan.start[2];
        const from =
          ((inWindow.start[0] + k) * size[1] + inWindow.start[1] + j) * size[2] + inWindow.start[2];
        for (let i = 0; i < width; i++) {
          const weight = weights?.[from + i] ?? 1;
          total[to + i] += weight;
          for (let c = 0; c < classes; c++)
            sum[(to + i) * classes + c] += (scores[(from + i) * classes + c] / count) * weight;
        }
      }
  }

  /** The weighted mean, in the place of the sum. */
  mean(): Float32Array {
    const { sum, total, classes } = this;
    for (let n = 0; n < total.length; n++) for (let c = 0; c < classes; c++) sum[n * classes + c] /= total[n];
    return sum;
  }
}

/** The scores of a prepared scan and what leads back to its file. */
export interface ScoredCase extends NnunetCase {
  /** The grid that it was cut out of. */
  readonly grid: Grid;
  readonly scores: Float32Array;
  /** How many classes, or regions, there are. */
  readonly classes: number;
  /** The class that each region is written with; absent where the scores are those of classes. */
  readonly written?: readonly number[];
  /** Of the voxels of the scores, mm. */
  readonly spacing: Shape3;
  /** How scores come to the voxels of the file. */
  readonly resampling: SplineResampling;
}

/**
 * The class with the highest score of every voxel of the file, in RAS+ order, the lowest on a tie, or the last of the regions with a score
 * above 0; 0 outside of what the network saw. And the probabilities where they are asked for.
 */
export function segmentedPart(found: ScoredCase, probabilities: boolean): SegmentedPart {
  const { grid, box, classes, written } = found;
  const voxels = voxelCount(boxShape(box));
  const labels = new Uint8Array(voxels);
  const best = new Float32Array(voxels).fill(Number.NEGATIVE_INFINITY);
  const kept: Float32Array[] = [];
  for (let cls = 0; cls < classes; cls++) {
    const scores = onFile(found, cls);
    if (probabilities) kept.push(scores);
    for (let n = 0; n < voxels; n++)
      if (written !== undefined) {
        if (scores[n] > 0) labels[n] = written[cls];
      } else if (scores[n] > best[n]) {
        best[n] = scores[n];
        labels[n] = cls;
      }
  }
  const whole = new Uint8Array(voxelCount(grid.shape));
  putBox(whole, grid.shape, box, labels);
  const { volume } = toCanonical({ ...grid, data: whole });
  return {
    box: wholeBox(volume.shape),
    labels: volume.data,
    ...(probabilities && {
      probabilities: onCanonical(found, written ? sigmoidOf(kept) : softmaxOf(kept, best)),
    }),
  };
}

/** The scores of a class on the voxels of the file. */
function onFile(
  { scores, shape, box, classes, spacing, grid, resampling }: ScoredCase,
  cls: number,
): Float32Array {
  const own = new Float32Array(voxelCount(shape));
  for (let n = 0; n < own.length; n++) own[n] = scores[n * classes + cls];
  return resampleSpline(own, shape, boxShape(box), { from: spacing, to: spacingOf(grid) }, resampling);
}

/** Scores of each class become probabilities, in place; `best`: the highest of each voxel. */
function softmaxOf(scores: readonly Float32Array[], best: Float32Array): readonly Float32Array[] {
  for (let n = 0; n < best.length; n++) {
    let sum = 0;
    for (const own of scores) sum += own[n] = Math.exp(own[n] - best[n]);
    for (const own of scores) own[n] /= sum;
  }
  return scores;
}

/** Scores of each region become probabilities, in place. */
function sigmoidOf(scores: readonly Float32Array[]): readonly Float32Array[] {
  for (const own of scores) for (let n = 0; n < own.length; n++) own[n] = 1 / (1 + Math.exp(-own[n]));
  return scores;
}

/** Probabilities of each class in RAS+ order, [depth, height, width, class]; outside of what the network saw all is class 0, and no region. */
function onCanonical(
  { grid, box, classes, written }: ScoredCase,
  probabilities: readonly Float32Array[],
): Float32Array {
  const voxels = voxelCount(grid.shape);
  const out = new Float32Array(voxels * classes);
  for (const [cls, own] of probabilities.entries()) {
    const data = new Float32Array(voxels).fill(cls === 0 && written === undefined ? 1 : 0);
    putBox(data, grid.shape, box, own);
    const { volume } = toCanonical({ ...grid, data });
    for (let n = 0; n < voxels; n++) out[n * classes + cls] = volume.data[n];
  }
  return out;
}

function shapeOf(at: (axis: 0 | 1 | 2) => number): Shape3 {
  return [at(0), at(1), at(2)];
}
