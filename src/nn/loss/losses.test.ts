import { expect, it } from 'vitest';
import { shape, type Value } from '../../core/index.ts';
import { evaluate, inputOf } from '../../ops/index.ts';
import { Context } from '../context.ts';
import { classCounts } from '../counts.ts';
import { feedsOf } from '../feeds.testing.ts';
import { evenLoss, HOU2019_LOSS, type LossConfig, segmentationLoss } from './losses.ts';

const logits = [0.2, 1, -1, 2, 0, 0.5, 0.1, 0.3, 0.9, -1, 1, 3, 0, 0, 1, 1, 2, 0];
const labels = [0, 1, 2, 2, 1, 1];

function setUp(): { ctx: Context; scores: Value; truth: Value } {
  const { graph } = new Context();
  const scores = inputOf(graph, 'scores', shape({ batch: 2, width: 3, class: 3 }));
  return {
    ctx: new Context({ graph }),
    scores,
    truth: inputOf(graph, 'labels', shape({ batch: 2, width: 3 }), 'u8'),
  };
}

const softmax = Array.from({ length: 6 }, (_, v) => {
  const e = logits.slice(3 * v, 3 * v + 3).map(Math.exp);
  const sum = e[0] + e[1] + e[2];
  return e.map((x) => x / sum);
});

function diceByFormula(voxels: number[], cls: number): number {
  const p = voxels.map((v) => softmax[v][cls]);
  const t = voxels.map((v) => (labels[v] === cls ? 1 : 0));
  const sum = (x: number[]): number => x.reduce((a, b) => a + b, 0);
  return (-2 * sum(p.map((x, i) => x * t[i]))) / (sum(p) + sum(t) + 0.1);
}

it.each([HOU2019_LOSS, { ...evenLoss(3, 0.4), weights: [1, 2, 3] }])(
  'follows its formula',
  (config: LossConfig) => {
    const { ctx, scores, truth } = setUp();
    const { loss, parts } = segmentationLoss(scores, truth, config);
    const feeds = feedsOf(ctx.graph, { scores: logits, labels });
    const wanted = [
      loss,
      parts.crossEntropy,
      parts.diceCase!,
      parts.diceGlobal!,
      ...parts.softDice.map((d) => d.value),
    ];
    const [total, entropy, perCase, global, ...soft] = evaluate(ctx.graph, feeds, wanted).map((v) => v[0]);
    const mean = (f: (cls: number) => number): number =>
      config.dice.reduce((s, c) => s + f(c), 0) / config.dice.length;
    const all = [0, 1, 2, 3, 4, 5];
    const expected = {
      entropy: labels.reduce((s, l, v) => s - config.weights[l] * Math.log(softmax[v][l]), 0) / 6,
      perCase: mean((c) => (diceByFormula([0, 1, 2], c) + diceByFormula([3, 4, 5], c)) / 2),
      global: mean((c) => diceByFormula(all, c)),
    };
    expect(entropy).toBeCloseTo(expected.entropy, 12);
    expect(perCase).toBeCloseTo(expected.perCase, 12);
    expect(global).toBeCloseTo(expected.global, 12);
    const dice = (expected.perCase + expected.global) / 2;
    expect(total).toBeCloseTo((1 - config.mix) * expected.entropy + config.mix * dice, 12);
    expect(soft).toHaveLength(config.dice.length);
    expect(soft[0]).toBeCloseTo(-diceByFormula(all, config.dice[0]), 12);
  },
);

it('counts voxels per case and class', () => {
  const { ctx, scores, truth } = setUp();
  const { both, predicted, truth: real } = classCounts(scores, truth);
  const values = evaluate(ctx.graph, feedsOf(ctx.graph, { scores: logits, labels }), [both, predicted, real]);
  // predicted: 1 0 2 | 2 2 1
  expect(values.map((v) => [...v])).toEqual([
    [0, 0, 1, 0, 1, 1],
    [1, 1, 1, 0, 1, 2],
    [1, 1, 1, 0, 2, 1],
  ]);
});

it('refuses settings that do not fit the classes', () => {
  const { scores, truth } = setUp();
  const build = (change: Partial<LossConfig>) => () =>
    segmentationLoss(scores, truth, { ...HOU2019_LOSS, ...change });
  expect(build({ weights: [1, 1] })).toThrow(
    'loss: number of class weights; expected 3, one per class, found 2',
  );
  expect(build({ dice: [3] })).toThrow('class of the Dice loss; expected 0 to 2, found 3');
  expect(build({ mix: 2 })).toThrow('share of the Dice loss');
  expect(build({ dice: [] })).toThrow('at least one, or share 0');
});
