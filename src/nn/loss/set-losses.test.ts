import { describe, expect, it } from 'vitest';
import { Graph, shape } from '../../core/index.ts';
import { evaluate, gradients, inputOf } from '../../ops/index.ts';
import { regionCounts, writtenRegions } from '../counts.ts';
import { differences, feedsOf } from '../feeds.testing.ts';
import { deepLoss } from './deep-loss.ts';
import { dice, mean, tversky } from './formulas.testing.ts';
import { type LossName, SET_LOSSES } from './loss-names.ts';
import { type LossConfig, segmentationLoss } from './losses.ts';

// Losses of regions against their formulas in plain numbers: two cases of three voxels, two regions of three classes.

const sets = [[1, 2], [2]];
const logits = [0.2, 1, -1, 2, 0, 0.5, 0.1, 0.3, 0.9, -1, 1, 3];
const labels = [0, 1, 2, 2, 1, 0];
const CASES = [
  [0, 1, 2],
  [3, 4, 5],
];
const both = [0, 1];

const z = (v: number, r: number): number => logits[2 * v + r];
const p = (v: number, r: number): number => 1 / (1 + Math.exp(-z(v, r)));
const t = (v: number, r: number): number => (sets[r].includes(labels[v]) ? 1 : 0);

type Full = Required<Omit<LossConfig, 'ignore' | 'custom'>>;
const whole: Full = {
  ...{ sets, terms: ['bce'], weights: [1, 1], dice: [], mix: 0.4, epsilon: 0.1 },
  ...{ gamma: 2, alpha: 0.3, beta: 0.7 },
};

const LABELLED = SET_LOSSES.filter((name) => name !== 'boundary');

const FORMULAS: Readonly<Record<(typeof LABELLED)[number], (config: Full) => number>> = {
  bce: ({ weights }) =>
    mean(
      labels.flatMap((_, v) =>
        both.map((r) => -(t(v, r) ? weights[r] * Math.log(p(v, r)) : Math.log(1 - p(v, r)))),
      ),
    ),
  'case-dice': ({ epsilon }) =>
    mean(both.flatMap((r) => CASES.map((voxels) => dice({ p, t }, voxels, r, epsilon)))),
  'batch-dice': ({ epsilon }) => mean(both.map((r) => dice({ p, t }, CASES.flat(), r, epsilon))),
  dice: (config) => (FORMULAS['case-dice'](config) + FORMULAS['batch-dice'](config)) / 2,
  tversky: (config) => mean(both.flatMap((r) => CASES.map((voxels) => tversky({ p, t }, voxels, r, config)))),
};

function build(config: LossConfig, width = 3) {
  const graph = new Graph();
  const scores = inputOf(graph, 'scores', shape({ batch: 2, width, class: 2 }));
  const truth = inputOf(graph, 'labels', shape({ batch: 2, width }), 'u8');
  return { graph, scores, truth, ...segmentationLoss(scores, truth, config) };
}

describe.each(LABELLED)('%s of regions', (name) => {
  it.each([{}, { weights: [4, 2], alpha: 1, beta: 0 }])('follows its formula, with %j', (change) => {
    const config: Full = { ...whole, ...change, terms: [name] };
    const { graph, scores, loss } = build(config);
    const feeds = feedsOf(graph, { scores: logits, labels });
    const at = (given: typeof feeds): number => evaluate(graph, given, [loss])[0][0];
    expect(at(feeds)).toBeCloseTo(FORMULAS[name](config), 9);
    const [slopes] = evaluate(graph, feeds, [gradients(loss, [scores])[0]!]);
    differences(at, feeds, 'scores').forEach((slope, i) => {
      expect(slopes[i]).toBeCloseTo(slope, 8);
    });
  });

  it('counts no voxel with the label to ignore', () => {
    const config: LossConfig = { ...whole, weights: [2, 1], terms: [name] };
    const kept = build(config);
    const [expected] = evaluate(kept.graph, feedsOf(kept.graph, { scores: logits, labels }), [kept.loss]);
    const { graph, scores, loss } = build({ ...config, ignore: 255 }, 4);
    const feeds = feedsOf(graph, {
      scores: [80, -7, ...logits.slice(0, 6), ...logits.slice(6), 5, 5],
      labels: [255, ...labels.slice(0, 3), ...labels.slice(3), 255],
    });
    const [value, slopes] = evaluate(graph, feeds, [loss, gradients(loss, [scores])[0]!]);
    expect(value[0]).toBeCloseTo(expected[0], 12);
    expect([...slopes.slice(0, 2), ...slopes.slice(-2)].map(Math.abs)).toEqual([0, 0, 0, 0]);
    expect(Math.max(...slopes.map(Math.abs))).toBeGreaterThan(1e-3);
  });
});

it('mixes both by default, tells each region and stays finite where scores are far apart', () => {
  const { terms: _, ...usual } = whole;
  const { graph, scores, loss, parts } = build(usual);
  const told = [loss, parts.crossEntropy, ...parts.softDice.map(({ value }) => value)];
  const [value, entropy, ...soft] = evaluate(graph, feedsOf(graph, { scores: logits, labels }), told);
  const f = (name: (typeof LABELLED)[number]): number => FORMULAS[name](whole);
  expect(value[0]).toBeCloseTo(0.6 * f('bce') + 0.4 * f('dice'), 9);
  expect(entropy[0]).toBeCloseTo(f('bce'), 9);
  expect(soft.map(([one]) => one)).toEqual(
    both.map((r) => expect.closeTo(-dice({ p, t }, CASES.flat(), r, whole.epsilon), 9)),
  );
  expect(parts.softDice.map(({ cls }) => cls)).toEqual([1, 2]);
  const far = feedsOf(graph, { scores: logits.map((one) => one * 900), labels });
  const [large, slopes] = evaluate(graph, far, [loss, gradients(loss, [scores])[0]!]);
  expect(Number.isFinite(large[0])).toBe(true);
  expect([...slopes].every(Number.isFinite)).toBe(true);
});

it('sees labels at lower resolutions', () => {
  const graph = new Graph();
  const level = (name: string, width: number) => inputOf(graph, name, shape({ batch: 1, width, class: 2 }));
  const levels = [level('whole', 4), level('half', 2)];
  const truth = inputOf(graph, 'labels', shape({ batch: 1, width: 4 }), 'u8');
  const { loss } = deepLoss(levels, truth, { ...whole, ignore: 255 });
  const feeds = feedsOf(graph, { whole: logits.slice(0, 8), half: [1, 1, 1, 1], labels: [2, 255, 1, 2] });
  const [slopes] = evaluate(graph, feeds, [gradients(loss, [levels[1]])[0]!]);
  expect([...slopes.slice(0, 2)].map(Math.abs)).toEqual([0, 0]);
  expect(slopes[2]).toBeLessThan(-1e-3);
});

it('counts regions one by one and writes them in their order', () => {
  const graph = new Graph();
  const scores = inputOf(graph, 'scores', shape({ batch: 1, width: 4, class: 3 }));
  const truth = inputOf(graph, 'labels', shape({ batch: 1, width: 4 }), 'u8');
  const regions = [[1, 2, 3], [2, 3], [2]];
  const counts = regionCounts(scores, truth, regions, 255);
  const feeds = feedsOf(graph, {
    scores: [-1, -1, -1, 1, -1, -1, 1, 2, 0.1, 5, 1, -1],
    labels: [0, 2, 255, 3],
  });
  const found = evaluate(graph, feeds, [counts.both, counts.predicted, counts.truth]);
  expect(found.map((one) => [...one])).toEqual([
    [0, 2, 1, 0],
    [0, 2, 1, 0],
    [0, 2, 2, 1],
  ]);
  const [labels] = evaluate(graph, feeds, [writtenRegions(scores, [1, 3, 2])]);
  expect([...labels]).toEqual([0, 1, 2, 3]);
});

it('refuses losses of classes, and scores that are not those of the regions', () => {
  const refused = (change: Partial<LossConfig>) => () => build({ ...whole, ...change });
  expect(refused({ terms: ['dice', 'ce'] satisfies LossName[] })).toThrow(
    'loss: terms for regions that may overlap; expected one or several of dice, case-dice, batch-dice, tversky, bce, boundary, found dice, ce',
  );
  expect(refused({ sets: [[1], [2], [3]] })).toThrow('scores of regions; expected 3, one for each, found 2');
  expect(refused({ weights: [1, 2, 3] })).toThrow('expected 2, one per region, found 3');
  expect(refused({ ignore: 2 })).toThrow('expected a whole number from 3 to 255, which is no class, found 2');
});
