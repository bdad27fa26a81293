import type { Shape, Value } from '../core/index.ts';
import {
  add,
  argmax,
  castTo,
  constant,
  equal,
  less,
  mul,
  pad,
  reduceMax,
  reduceSum,
  tableOf,
} from '../ops/index.ts';
import { BATCH, channelOf, spaceOf } from './axes.ts';
import { foundRegions, regionMasks } from './loss/set-losses.ts';

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
 * The class that every voxel is written with by scores of regions, each found where its probability is above 1/2: that of the last one
 * found, class 0 without any. [batch, space..., class] -> [batch, space...] u8; `written`: the class of each region.
 */
export function writtenRegions(scores: Value, written: readonly number[]): Value {
  const classes = channelOf(scores);
  const table = (numbers: readonly number[]): Value => tableOf(scores.graph, [classes], numbers);
  const places = table(written.map((_, n) => n + 1));
  const last = reduceMax(mul(foundRegions(scores), places), [classes.name]);
  const number = (value: number): Value => constant(scores.graph, value, [], 'f32');
  const labels = written.map((cls, n) => mul(equal(last, number(n + 1)), number(cls)));
  return castTo(
    labels.reduce((a, b) => add(a, b)),
    'u8',
  );
}

/**
 * Counts voxels of regions, sets of classes that may overlap: found or true, each by itself, none whose label is `ignore`.
 * [batch, 1 + regions]: the place of the background has 0.
 */
export function regionCounts(
  scores: Value,
  labels: Value,
  regions: readonly (readonly number[])[],
  ignore?: number,
): ClassCounts {
  const space = spaceOf(scores, 'counts of regions').map((axis) => axis.name);
  const masks = regionMasks(scores, labels, regions, ignore);
  const counts = (mask: Value): Value =>
    pad(reduceSum(mask, space, 'f64'), { [channelOf(scores).name]: [1, 0] });
  return {
    both: counts(masks.both),
    predicted: counts(masks.predicted),
    truth: counts(masks.truth),
  };
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
