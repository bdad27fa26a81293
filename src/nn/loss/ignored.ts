import type { Value } from '../../core/index.ts';
import { castTo, constant, equal, maximum, reduceSum, select, sub, tableOf } from '../../ops/index.ts';
import { BATCH, channelOf } from '../axes.ts';

// Voxels that are left out of a loss: those with a label that is no class. They become voxels of class 0 whose scores are so
// sure of it that cross-entropies, and overlaps of all other classes, are exactly 0 there, and so are the slopes.

/** Far above and below all other scores: e^-x is 0 in float32 and in float64. */
const SURE = 1e4;

export interface Kept {
  readonly logits: Value;
  readonly labels: Value;
  /** Number of voxels that count, float64; at least 1. */
  readonly voxels: Value;
  /** Voxels of each case that do not, [batch] float64. */
  readonly ignored: Value;
}

/** Logits [batch, space..., class] f32 and labels [batch, space...] without what has the label `ignore`. */
export function withoutIgnored(logits: Value, labels: Value, ignore: number, voxels: number): Kept {
  const { graph } = logits;
  const classes = channelOf(logits);
  const left = equal(labels, constant(graph, ignore, [], labels.dtype));
  const sure = Array.from({ length: classes.size }, (_, cls) => (cls === 0 ? SURE : -SURE));
  const space = labels.shape.map((dim) => dim.name).filter((name) => name !== BATCH);
  const ignored = reduceSum(left, space, 'f64');
  const number = (value: number): Value => constant(graph, value, [], 'f64');
  return {
    logits: select(castTo(left, 'f32'), tableOf(graph, [classes], sure), logits),
    labels: select(left, constant(graph, 0, [], labels.dtype), labels),
    voxels: maximum(sub(number(voxels), reduceSum(ignored, [BATCH])), number(1)),
    ignored,
  };
}
