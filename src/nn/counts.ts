import type { Shape, Value } from '../core/index.ts';
import { add, argmax, constant, equal, less, mul, reduceSum, tableOf } from '../ops/index.ts';
import { BATCH, channelOf, spaceOf } from './axes.ts';

/** Voxels of every case and class, [batch, class] float64 whole numbers: what hard Dice, volumes and ratios are made of. */
export interface ClassCounts {
  /** Predicted and true. */
  readonly both: Value;
  readonly predicted: Value;
  readonly truth: Value;
}

/** The most likely class of every voxel: [batch, space..., class] -> [batch, space...] u8; the lowest on a tie. */
export function predictedLabels(scores: Value): Value {
  return argmax(scores, channelOf(scores).name);
}

/**
 * Counts voxels by the class of the highest score and by the true class, without one-hot volumes; none whose label is `ignore`.
 */
export function classCounts(scores: Value, labels: Value, ignore?: number): ClassCounts {
  const classes = channelOf(scores);
  const space = spaceOf(scores, 'class counts').map((axis) => axis.name);
  const predicted = predictedLabels(scores);
  const left = ignore === undefined ? undefined : equal(labels, constant(scores.graph, ignore, [], 'u8'));
  const each = Array.from({ length: classes.size }, (_, cls) => {
    const number = constant(scores.graph, cls, [], 'u8');
    const found = equal(predicted, number);
    const p = left === undefined ? found : less(left, found);
    const t = equal(labels, number);
    return { both: mul(p, t), predicted: p, truth: t };
  });
  const stacked = (key: keyof ClassCounts): Value =>
    stack(
      each.map((masks) => reduceSum(masks[key], space, 'f64')),
      classes,
    );
  return { both: stacked('both'), predicted: stacked('predicted'), truth: stacked('truth') };
}

/** Values per case, one for each class, as [batch, class]. */
function stack(values: readonly Value[], classes: Shape[number]): Value {
  const shape: Shape = [values[0].shape.find((dim) => dim.name === BATCH)!, classes];
  return values
    .map((value, cls) => {
      const unit = Array.from({ length: classes.size }, (_, i) => (i === cls ? 1 : 0));
      return mul(value, tableOf(value.graph, shape.slice(1), unit, 'f64'));
    })
    .reduce((a, b) => add(a, b));
}
