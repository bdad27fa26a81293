import type { Value } from '../../core/index.ts';
import { add, constant, mul, reshape, resize } from '../../ops/index.ts';
import { spaceOf } from '../axes.ts';
import type { BoundaryInput } from './boundary-loss.ts';
import { HOU2019_LOSS, type Loss, type LossConfig, segmentationLoss } from './losses.ts';

/**
 * Deep supervision: the loss of scores at several resolutions, from the highest down, each against the labels at that
 * resolution (nearest voxel). Weights 1, 1/2, 1/4..., divided by their sum, as in nnU-Net (Isensee et al. 2021). The parts are
 * those of the highest resolution; of one resolution it is {@link segmentationLoss}.
 */
export function deepLoss(
  levels: readonly Value[],
  labels: Value,
  config: LossConfig = HOU2019_LOSS,
  boundary?: BoundaryInput,
): Loss {
  const losses = levels.map((scores, level) => {
    const size = Object.fromEntries(
      spaceOf(scores, 'deep supervision').map((axis) => [axis.name, axis.size] as const),
    );
    const there = boundary && {
      ...boundary,
      distances: level === 0 ? boundary.distances : resize(boundary.distances, 'nearest', size),
    };
    return segmentationLoss(scores, labelsAt(labels, size), config, there);
  });
  const [{ loss, parts }] = losses;
  if (losses.length === 1) return { loss, parts };
  const all = losses.reduce((sum, _, level) => sum + 2 ** -level, 0);
  const weighted = losses.map((one, level) =>
    mul(one.loss, constant(loss.graph, 2 ** -level / all, [], 'f64')),
  );
  return { loss: weighted.reduce((a, b) => add(a, b)), parts };
}

/** Labels [batch, space...] at other sizes of space, each the nearest one. */
function labelsAt(labels: Value, size: Readonly<Record<string, number>>): Value {
  if (labels.shape.every((dim) => (size[dim.name] ?? dim.size) === dim.size)) return labels;
  // Devices resize volumes that have a last dimension of channels.
  const volume = reshape(labels, [...labels.shape, { name: 'one', size: 1 }]);
  const resized = resize(volume, 'nearest', size);
  return reshape(resized, resized.shape.slice(0, -1));
}
