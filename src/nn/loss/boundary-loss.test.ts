import { expect, it } from 'vitest';
import { Graph, shape } from '../../core/index.ts';
import { evaluate, gradients, inputOf } from '../../ops/index.ts';
import { differences, feedsOf } from '../feeds.testing.ts';
import { deepLoss } from './deep-loss.ts';
import { checkLoss, evenLoss, type LossConfig, segmentationLoss } from './losses.ts';

// The boundary loss against its formula in plain numbers: two cases of three voxels, three classes.

const logits = [0.2, 1, -1, 2, 0, 0.5, 0.1, 0.3, 0.9, -1, 1, 3, 0, 0, 1, 1, 2, 0];
const labels = [0, 1, 2, 2, 1, 1];
/** Of classes 1 and 2; class 0 does not count. */
const distances = [0, 3, 7.5, 0, -3, 4.5, 0, 3, -4.5, 0, 6, -1.5, 0, -3, 1.5, 0, -6, 4.5];
const weight = 0.3;

const softmax = (v: number, k: number): number =>
  Math.exp(logits[3 * v + k]) / [0, 1, 2].reduce((sum, other) => sum + Math.exp(logits[3 * v + other]), 0);
const sigmoid = (v: number, k: number): number => 1 / (1 + Math.exp(-logits[3 * v + k]));

function build(config: LossConfig) {
  const graph = new Graph();
  const scores = inputOf(graph, 'scores', shape({ batch: 2, width: 3, class: 3 }));
  const truth = inputOf(graph, 'labels', shape({ batch: 2, width: 3 }), 'u8');
  const boundary = {
    distances: inputOf(graph, 'distances', shape({ batch: 2, width: 3, class: 3 })),
    weight: inputOf(graph, 'weight', [], 'f64'),
    regions: config.sets?.length ?? config.dice.length,
    overlap: config.sets !== undefined,
  };
  const { loss } = segmentationLoss(scores, truth, config, boundary);
  const other = segmentationLoss(scores, truth, config).loss;
  return { graph, scores, truth, boundary, loss, other };
}

const classes: LossConfig = { ...evenLoss(3), terms: ['dice', 'ce', 'boundary'] };
const regions: LossConfig = { ...classes, dice: [], sets: [[1, 2], [2], [0]], terms: ['dice', 'boundary'] };

it.each([
  ['classes', classes, softmax, 2],
  ['regions that may overlap', regions, sigmoid, 3],
] as const)(
  'of %s is the mean of probabilities times distances, beside the other losses',
  (_, config, p, count) => {
    const { graph, scores, loss, other } = build(config);
    const feeds = feedsOf(graph, { scores: logits, labels, distances, weight: [weight] });
    const [[found], [rest], slopes] = evaluate(graph, feeds, [loss, other, gradients(loss, [scores])[0]!]);
    const sum = distances.reduce((all, d, at) => all + d * p(Math.floor(at / 3), at % 3), 0);
    expect(found).toBeCloseTo((1 - weight) * rest + (weight * sum) / (6 * count), 9);
    const at = (given: typeof feeds): number => evaluate(graph, given, [loss])[0][0];
    differences(at, feeds, 'scores').forEach((slope, i) => {
      expect(slopes[i]).toBeCloseTo(slope, 5);
    });
  },
);

it('reads the distance of the nearest voxel at lower resolutions', () => {
  const graph = new Graph();
  const high = inputOf(graph, 'scores', shape({ batch: 1, width: 4, class: 2 }));
  const low = inputOf(graph, 'low', shape({ batch: 1, width: 2, class: 2 }));
  const truth = inputOf(graph, 'labels', shape({ batch: 1, width: 4 }), 'u8');
  const boundary = {
    distances: inputOf(graph, 'distances', shape({ batch: 1, width: 4, class: 2 })),
    weight: inputOf(graph, 'weight', [], 'f64'),
    ...{ regions: 1, overlap: false },
  };
  const config: LossConfig = { ...evenLoss(2), terms: ['ce', 'boundary'] };
  const { loss } = deepLoss([high, low], truth, config, boundary);
  const away = [0, 1, 0, 2, 0, -3, 0, -4];
  const feeds = { scores: new Array(8).fill(0), low: new Array(4).fill(0), labels: [0, 0, 1, 1] };
  const [[found]] = evaluate(graph, feedsOf(graph, { ...feeds, distances: away, weight: [1] }), [loss]);
  // Voxels 1 and 3 of the higher resolution are nearest to those of the lower one.
  expect(found).toBeCloseTo((2 / 3) * ((0.5 * (1 + 2 - 3 - 4)) / 4) + (1 / 3) * ((0.5 * (2 - 4)) / 2), 12);
});

it('refuses to stand alone, and without a class whose boundary it takes', () => {
  expect(() => checkLoss({ ...classes, terms: ['boundary'] }, 3)).toThrow(
    'loss: terms; expected another loss beside boundary, such as dice+boundary, found boundary',
  );
  expect(() => checkLoss({ ...classes, terms: ['ce', 'boundary'], dice: [] }, 3)).toThrow(
    'classes of the Dice loss; expected at least one',
  );
});
