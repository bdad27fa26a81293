import { expect, it } from 'vitest';
import { Graph, shape } from '../../core/index.ts';
import { evaluate, gradients, inputOf } from '../../ops/index.ts';
import { classCounts } from '../counts.ts';
import { feedsOf } from '../feeds.testing.ts';
import { deepLoss } from './deep-loss.ts';
import { LABEL_LOSSES, type LabelLoss } from './loss-names.ts';
import { evenLoss, type LossConfig, segmentationLoss } from './losses.ts';

// A loss that leaves voxels out is that of the other voxels alone.

const logits = [0.2, 1, -1, 2, 0, 0.5, 0.1, 0.3, 0.9, -1, 1, 3];
const strange = [800, -3, 7];

function lossOf(config: LossConfig, scores: number[], labels: number[]) {
  const graph = new Graph();
  const width = labels.length;
  const z = inputOf(graph, 'scores', shape({ batch: 1, width, class: 3 }));
  const { loss, parts } = segmentationLoss(
    z,
    inputOf(graph, 'labels', shape({ batch: 1, width }), 'u8'),
    config,
  );
  const feeds = feedsOf(graph, { scores, labels });
  const [[value], slopes, [entropy], [soft]] = evaluate(graph, feeds, [
    loss,
    gradients(loss, [z])[0]!,
    parts.crossEntropy,
    parts.softDice[0].value,
  ]);
  return { value, slopes: [...slopes], entropy, soft };
}

it.each(LABEL_LOSSES)('%s counts no voxel with the label to ignore', (name: LabelLoss) => {
  const config = { ...evenLoss(3, 0.4), weights: [1, 2, 3], dice: [0, 1, 2], terms: [name] };
  const kept = lossOf(config, logits, [0, 1, 2, 2]);
  const ignoring = { ...config, ignore: 255 };
  const whole = lossOf(
    ignoring,
    [...strange, ...logits.slice(0, 6), ...strange, ...logits.slice(6)],
    [255, 0, 1, 255, 2, 2],
  );
  expect(whole.value).toBeCloseTo(kept.value, 12);
  expect(whole.entropy).toBeCloseTo(kept.entropy, 12);
  expect(whole.soft).toBeCloseTo(kept.soft, 12);
  const slopes = [0, 0, 0, ...kept.slopes.slice(0, 6), 0, 0, 0, ...kept.slopes.slice(6)];
  for (const [i, slope] of slopes.entries()) expect(whole.slopes[i]).toBeCloseTo(slope, 12);
  expect(whole.slopes.slice(0, 3)).toEqual([0, 0, 0]);
  // Nothing to learn from is nothing learnt.
  const nothing = lossOf(ignoring, logits, [255, 255, 255, 255]);
  expect(Number.isFinite(nothing.value)).toBe(true);
  expect(nothing.slopes.every((slope) => slope === 0)).toBe(true);
});

it('leaves voxels out at every resolution, and out of the counts', () => {
  const graph = new Graph();
  const whole = inputOf(graph, 'whole', shape({ batch: 1, width: 4, class: 3 }));
  const half = inputOf(graph, 'half', shape({ batch: 1, width: 2, class: 3 }));
  const labels = inputOf(graph, 'labels', shape({ batch: 1, width: 4 }), 'u8');
  const config = { ...evenLoss(3), ignore: 255 };
  const { loss } = deepLoss([whole, half], labels, config);
  const { both, predicted, truth } = classCounts(whole, labels, 255);
  // The nearest of voxels 2 o and 2 o + 1 is the second: 255 and 1.
  const feeds = feedsOf(graph, { whole: logits, labels: [1, 255, 2, 1] });
  const [slopes] = evaluate(graph, feeds, [gradients(loss, [half])[0]!]);
  expect([...slopes.slice(0, 3)]).toEqual([0, 0, 0]);
  expect(Math.abs(slopes[3])).toBeGreaterThan(1e-3);
  // Predicted: 1 0 2 2.
  const counts = evaluate(graph, feeds, [both, predicted, truth]).map((v) => [...v]);
  expect(counts).toEqual([
    [0, 1, 1],
    [0, 1, 2],
    [0, 2, 1],
  ]);
});

it('refuses to ignore a class', () => {
  const build = () => lossOf({ ...evenLoss(3), ignore: 2 }, logits, [0, 1, 2, 2]);
  expect(build).toThrow(
    'loss: label to ignore; expected a whole number from 3 to 255, which is no class, found 2',
  );
});
