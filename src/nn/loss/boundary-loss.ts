import type { Value } from '../../core/index.ts';
import { add, castTo, constant, mul, reduceSum, sigmoid, softmax, sub } from '../../ops/index.ts';
import { channelOf, countOver } from '../axes.ts';

// Boundary loss (Kervadec et al. 2019, "Boundary loss for highly unbalanced segmentation", equation 5): the mean over voxels and regions of
//
//   p[k] d[k]      p the softmax (of regions that may overlap the sigmoid), d the signed distance to the boundary of region k
//
// A voxel that is predicted outside of its region costs its distance, one inside brings it, so that the sum grows with the space between
// both boundaries. Without another loss beside it nothing says what a region that is not found should be; so with the weight a of a step
//
//   loss    (1 - a) other losses + a boundary

/** What the loss is made with beside scores and labels. */
export interface BoundaryInput {
  /** Signed distances in mm, [batch, space..., class] f32: below 0 inside of a region; 0 where one does not count. */
  readonly distances: Value;
  /** a, from 0 to 1: scalar, float64. */
  readonly weight: Value;
  /** Regions that count. */
  readonly regions: number;
  /** Whether the scores are of regions that may overlap. */
  readonly overlap: boolean;
}

/** The loss of scores [batch, space..., class] f32, in mm: scalar, float64. */
export function boundaryLoss(
  scores: Value,
  { distances, regions, overlap }: Omit<BoundaryInput, 'weight'>,
): Value {
  const classes = channelOf(scores).name;
  const all = scores.shape.map(({ name }) => name);
  const p = overlap ? sigmoid(scores) : softmax(scores, classes);
  const voxels = countOver(scores, all.slice(0, -1));
  const sum = reduceSum(mul(p, castTo(distances, 'f32')), all, 'f64');
  return mul(sum, constant(scores.graph, 1 / (voxels * regions), [], 'f64'));
}

/** Another loss and the boundary loss as one. */
export function withBoundary(other: Value, scores: Value, input: BoundaryInput): Value {
  const { weight } = input;
  const rest = sub(constant(scores.graph, 1, [], 'f64'), weight);
  return add(mul(rest, other), mul(weight, boundaryLoss(scores, input)));
}
