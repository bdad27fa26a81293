import type { Value } from '../../core/index.ts';
import {
  abs,
  add,
  castTo,
  constant,
  equal,
  exp,
  log,
  maximum,
  mul,
  neg,
  pow,
  reduceMax,
  reduceSum,
  square,
  sub,
  tableOf,
} from '../../ops/index.ts';
import { channelOf } from '../axes.ts';

// Losses of single voxels, summed over all of them in float64. They are made of element-wise operations and sums over the
// classes, so every device and every split runs them.
//
//   logits  [batch, space..., class] f32    z
//   labels  [batch, space...]               whole numbers 0..classes-1, l
//   sums    scalars, float64

/** The true class of every voxel as 1 among zeros, [batch, space..., class] f32. */
function oneHot(logits: Value, labels: Value): Value {
  return equal(
    castTo(labels, 'f32'),
    classTable(logits, (cls) => cls),
  );
}

/** A number for each class, [class] f32. */
function classTable(logits: Value, of: (cls: number) => number): Value {
  const classes = channelOf(logits);
  return tableOf(
    logits.graph,
    [classes],
    Array.from({ length: classes.size }, (_, cls) => of(cls)),
  );
}

const number = (like: Value, value: number): Value => constant(like.graph, value, [], 'f32');

/** The sum over all voxels of their losses [batch, space...], each times the weight of its true class. */
function weighted(losses: Value, truth: Value, weights: readonly number[]): Value {
  const over = losses.shape.map((dim) => dim.name);
  if (weights.every((weight) => weight === weights[0]))
    return mul(reduceSum(losses, over, 'f64'), constant(losses.graph, weights[0], [], 'f64'));
  const classes = channelOf(truth);
  const each = reduceSum(
    mul(
      truth,
      classTable(truth, (cls) => weights[cls]),
    ),
    [classes.name],
  );
  return reduceSum(mul(losses, each), over, 'f64');
}

/** 1 - p below this counts as this where it is raised to a power, whose slope would be infinite at 0. */
const LEAST_DOUBT = 1e-7;

/**
 * Sum of the focal loss (Lin et al. 2017, "Focal Loss for Dense Object Detection", equation 5, of the softmax):
 *
 *   weights[l] * (1 - p)^gamma * -log p,   p = softmax(z)[l],   log p = z[l] - m - log(sum over k of e^(z[k] - m)),  m = max z
 */
export function focalSum(logits: Value, labels: Value, weights: readonly number[], gamma: number): Value {
  const classes = channelOf(logits).name;
  const truth = oneHot(logits, labels);
  const shifted = sub(logits, reduceMax(logits, [classes]));
  const logP = sub(reduceSum(mul(truth, shifted), [classes]), log(reduceSum(exp(shifted), [classes])));
  const doubt = maximum(sub(number(logits, 1), exp(logP)), number(logits, LEAST_DOUBT));
  const losses = gamma === 0 ? neg(logP) : neg(mul(power(doubt, gamma), logP));
  return weighted(losses, truth, weights);
}

function power(x: Value, exponent: number): Value {
  if (exponent === 1) return x;
  return exponent === 2 ? square(x) : pow(x, number(x, exponent));
}

/**
 * Sum of binary cross-entropies, of each class against all others by its own sigmoid, averaged over the classes:
 *
 *   weights[l] * mean over k of softplus(z[k]) - (k = l) z[k],   softplus(z) = z / 2 + |z| / 2 + log(1 + e^-|z|)
 *
 * which is -(t log s(z) + (1 - t) log(1 - s(z))) with s the sigmoid and t = (k = l), without overflow, and has the slope 1/2 - t at 0.
 */
export function binarySum(logits: Value, labels: Value, weights: readonly number[]): Value {
  const classes = channelOf(logits);
  const truth = oneHot(logits, labels);
  const size = abs(logits);
  const rest = log(add(exp(neg(size)), number(logits, 1)));
  const softplus = add(mul(add(logits, size), number(logits, 0.5)), rest);
  const each = reduceSum(sub(softplus, mul(truth, logits)), [classes.name]);
  return weighted(mul(each, number(logits, 1 / classes.size)), truth, weights);
}
