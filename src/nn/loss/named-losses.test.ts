import { describe, expect, it } from 'vitest';
import { Graph, shape } from '../../core/index.ts';
import { evaluate, gradients, inputOf } from '../../ops/index.ts';
import { differences, feedsOf } from '../feeds.testing.ts';
import { dice, mean, tversky, type Voxelwise } from './formulas.testing.ts';
import { LABEL_LOSSES, type LabelLoss } from './loss-names.ts';
import { evenLoss, type LossConfig, segmentationLoss } from './losses.ts';

// Every loss by name against its formula in plain numbers: two cases of three voxels, three classes.

const logits = [0.2, 1, -1, 2, 0, 0.5, 0.1, 0.3, 0.9, -1, 1, 3, 0, 0, 1, 1, 2, 0];
const labels = [0, 1, 2, 2, 1, 1];
const CASES = [
  [0, 1, 2],
  [3, 4, 5],
];

const z = (v: number, k: number): number => logits[3 * v + k];
const p = (v: number, k: number): number =>
  Math.exp(z(v, k)) / [0, 1, 2].reduce((sum, other) => sum + Math.exp(z(v, other)), 0);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const voxelwise: Voxelwise = { p, t: (v, k) => (labels[v] === k ? 1 : 0) };

type Full = Required<Omit<LossConfig, 'ignore' | 'sets' | 'custom'>>;

/** The formula of each loss. */
const FORMULAS: Readonly<Record<LabelLoss, (config: Full) => number>> = {
  ce: ({ weights }) => mean(labels.map((l, v) => -weights[l] * Math.log(p(v, l)))),
  focal: ({ weights, gamma }) =>
    mean(labels.map((l, v) => -weights[l] * (1 - p(v, l)) ** gamma * Math.log(p(v, l)))),
  bce: ({ weights }) =>
    mean(
      labels.map(
        (l, v) =>
          weights[l] *
          mean([0, 1, 2].map((k) => -Math.log(k === l ? sigmoid(z(v, k)) : 1 - sigmoid(z(v, k))))),
      ),
    ),
  dice: (config) => (FORMULAS['case-dice'](config) + FORMULAS['batch-dice'](config)) / 2,
  'case-dice': ({ dice: classes, epsilon }) =>
    mean(classes.flatMap((k) => CASES.map((voxels) => dice(voxelwise, voxels, k, epsilon)))),
  'batch-dice': ({ dice: classes, epsilon }) =>
    mean(classes.map((k) => dice(voxelwise, CASES.flat(), k, epsilon))),
  tversky: (config) =>
    mean(config.dice.flatMap((k) => CASES.map((voxels) => tversky(voxelwise, voxels, k, config)))),
};

function build(config: LossConfig) {
  const graph = new Graph();
  const scores = inputOf(graph, 'scores', shape({ batch: 2, width: 3, class: 3 }));
  const { loss, parts } = segmentationLoss(
    scores,
    inputOf(graph, 'labels', shape({ batch: 2, width: 3 }), 'u8'),
    config,
  );
  return { graph, scores, loss, parts };
}

const whole = { ...evenLoss(3, 0.4), gamma: 2, alpha: 0.3, beta: 0.7, terms: [] };

describe.each(LABEL_LOSSES)('%s', (name) => {
  it.each([
    { gamma: 2 },
    { weights: [1, 2, 3], gamma: 0, alpha: 1, beta: 0 },
    { weights: [0, 2, 3], gamma: 1.5, dice: [0, 2] },
    { gamma: 1, epsilon: 1 },
  ])('follows its formula, and its gradients do, with %j', (change) => {
    const config = { ...whole, ...change, terms: [name] };
    const { graph, scores, loss } = build(config);
    const feeds = feedsOf(graph, { scores: logits, labels });
    const at = (given: typeof feeds): number => evaluate(graph, given, [loss])[0][0];
    expect(at(feeds)).toBeCloseTo(FORMULAS[name](config), 9);
    const [slopes] = evaluate(graph, feeds, [gradients(loss, [scores])[0]!]);
    differences(at, feeds, 'scores').forEach((slope, i) => {
      expect(slopes[i]).toBeCloseTo(slope, 8);
    });
    expect(Math.max(...slopes.map(Math.abs))).toBeGreaterThan(1e-3);
  });
});

it('averages losses of a sort and mixes the sorts', () => {
  const config: Full = { ...whole, terms: ['tversky', 'ce', 'focal', 'batch-dice'] };
  const { graph, loss, parts } = build(config);
  const feeds = feedsOf(graph, { scores: logits, labels });
  const [total, entropy] = evaluate(graph, feeds, [loss, parts.crossEntropy]).map((v) => v[0]);
  const f = (name: LabelLoss): number => FORMULAS[name](config);
  expect(total).toBeCloseTo(
    0.6 * mean([f('ce'), f('focal')]) + 0.4 * mean([f('tversky'), f('batch-dice')]),
    9,
  );
  expect(entropy).toBeCloseTo(f('ce'), 9);
});

it('stays finite, with the right slopes, where scores are far apart or equal', () => {
  for (const name of ['focal', 'bce'] as const) {
    const { graph, scores, loss } = build({ ...whole, weights: [1, 1, 1], terms: [name] });
    const far = [0, 0, 0, 900, -900, 0, -900, 900, 0, 0, 0, 0, 50, 0, -50, 0, 0, 0];
    const feeds = feedsOf(graph, { scores: far, labels });
    const [[value], slopes] = evaluate(graph, feeds, [loss, gradients(loss, [scores])[0]!]);
    // Voxel 1 is of class 1 and 1800 below class 0.
    expect(value).toBeGreaterThan(100);
    expect(value).toBeLessThan(1000);
    expect([...slopes].every(Number.isFinite)).toBe(true);
    // Voxel 1 is pulled towards its class with full strength.
    expect(slopes[4]).toBeLessThan(name === 'focal' ? -0.1 : -0.05);
    expect(slopes[3]).toBeGreaterThan(name === 'focal' ? 0.1 : 0.05);
  }
});

it('refuses terms and parameters that make no loss', () => {
  const refused = (change: Partial<LossConfig>) => () => build({ ...whole, terms: ['dice'], ...change });
  expect(refused({ terms: [] })).toThrow('loss: terms; expected one or several of dice, case-dice');
  expect(refused({ terms: ['ce', 'ce'] })).toThrow('each once, found ce, ce');
  expect(refused({ dice: [], mix: 0 })).toThrow('at least one, or share 0');
  expect(refused({ gamma: -1 })).toThrow('gamma; expected a number of at least 0, found -1');
  expect(refused({ alpha: Number.NaN })).toThrow('alpha');
});
