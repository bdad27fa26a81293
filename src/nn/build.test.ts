import { describe, expect, it } from 'vitest';
import { shape, type Value, volume } from '../core/index.ts';
import { evaluate } from '../ops/index.ts';
import {
  type Built,
  buildEvaluation,
  buildPrediction,
  buildStatistics,
  buildTraining,
  parameterCount,
} from './build.ts';
import { feedsOf, sizes } from './feeds.testing.ts';

const image = shape({ batch: 2, depth: 3, height: 5, width: 4, channel: 1 });
const network = { base: 2, levels: 2, keep: 0.9 };

const assignsOf = ({ graph }: Built): Value[] =>
  graph.nodes.filter((node) => node.op.name === 'assign').map((node) => node.outputs[0]);

describe('buildTraining', () => {
  it('gives the loss, its parts and the counts, and assigns every variable once', () => {
    const built = buildTraining({ image, network });
    expect(built.outputs).toEqual([
      'loss',
      'cross_entropy',
      'dice_case',
      'dice_global',
      'soft_dice_2',
      'count_both',
      'count_predicted',
      'count_true',
    ]);
    expect(sizes(built.graph.outputs.get('count_both')!)).toBe('batch=2 class=3');
    const assigned = assignsOf(built).map((value) => String(value.node.call.attrs.name));
    expect([...assigned].sort()).toEqual(built.parameters.map((p) => p.name).sort());
    const inputs = built.graph.nodes.filter((n) => n.op.name === 'input').map((n) => n.call.attrs.name);
    expect([...inputs].sort()).toEqual(['image', 'labels', 'learning_rate', 'step']);
  });

  it.each([
    [{ kind: 'adam' }, 0.01],
    [{ kind: 'adafactor' }, 0.03],
    [{ kind: 'sgd', momentum: 0.9, nesterov: true, clipNorm: 1 }, 0.02],
  ] as const)('brings the loss down with %o', (optimizer, rate) => {
    const small = shape({ batch: 1, height: 6, width: 5, channel: 1 });
    const built = buildTraining({ image: small, network: { ...network, keep: 1 }, optimizer });
    const assigns = assignsOf(built);
    let state = feedsOf(built.graph);
    const losses: number[] = [];
    for (let step = 0; step < 8; step++) {
      const feeds = { ...state, step: Float64Array.of(step), learning_rate: Float64Array.of(rate) };
      const [loss, ...values] = evaluate(built.graph, feeds, [built.loss.loss, ...assigns]);
      losses.push(loss[0]);
      state = {
        ...feeds,
        ...Object.fromEntries(assigns.map((a, i) => [String(a.node.call.attrs.name), values[i]])),
      };
    }
    expect(losses[7]).toBeLessThan(0.9 * losses[0]);
  });

  it('stores activations in bfloat16 and statistics in float64 when asked', () => {
    const { graph, scores } = buildTraining({ image, network, storage: 'bf16' });
    expect(scores.dtype).toBe('bf16');
    const types = (name: string): Set<string> =>
      new Set(graph.nodes.filter((n) => n.op.name === name).map((n) => n.outputs[0].dtype));
    expect(types('conv')).toEqual(new Set(['bf16']));
    expect(types('conv_transpose')).toEqual(new Set(['bf16']));
    expect(types('conv_weight_grad')).toEqual(new Set(['f64']));
    expect(types('variable')).toEqual(new Set(['f32']));
    const sums = graph.nodes.filter((n) => n.op.name === 'reduce_sum' && n.name.endsWith('/norm'));
    expect(sums.map((n) => [n.call.inputs[0].dtype, n.outputs[0].dtype].join())).toEqual(
      sums.map(() => 'f32,f64'),
    );
  });

  it('works on slices', () => {
    const flat = shape({ batch: 3, height: 9, width: 6, channel: 5 });
    const { scores, loss } = buildTraining({ image: flat, network: { ...network, classes: 2 } });
    expect(sizes(scores)).toBe('batch=3 height=9 width=6 class=2');
    expect(loss.parts.softDice.map((d) => d.cls)).toEqual([1]);
  });

  it('refuses an image without a batch', () => {
    const flat = shape({ height: 9, width: 6, channel: 5 });
    expect(() => buildTraining({ image: flat })).toThrow(
      'image: impossible shape; expected [batch space... channel]',
    );
  });
});

describe('buildPrediction and buildEvaluation', () => {
  it('share the variables of training and change nothing', () => {
    const trained = new Map(buildTraining({ image, network }).parameters.map((p) => [p.name, p.value.shape]));
    for (const { graph, parameters } of [
      buildPrediction({ image, network }),
      buildEvaluation({ image, network }),
    ]) {
      for (const { name, value } of parameters) expect(trained.get(name), name).toEqual(value.shape);
      expect(graph.nodes.some((n) => n.op.name === 'assign' || n.op.name === 'random')).toBe(false);
    }
  });

  it('predicts the most likely class', () => {
    const { graph, outputs } = buildPrediction({ image, network, probabilities: true });
    expect(outputs).toEqual(['labels', 'probabilities']);
    const [labels, probabilities] = outputs.map((name) => graph.outputs.get(name)!);
    expect(labels.dtype).toBe('u8');
    const [l, p] = evaluate(graph, feedsOf(graph), [labels, probabilities]);
    expect(l).toHaveLength(volume(image));
    l.forEach((cls, i) => {
      const at = [...p.slice(3 * i, 3 * i + 3)];
      expect(at[cls]).toBe(Math.max(...at));
      expect(at[0] + at[1] + at[2]).toBeCloseTo(1, 12);
    });
  });
});

it('counts trainable weights', () => {
  const { graph } = buildPrediction({
    image: shape({ batch: 1, height: 4, width: 4, channel: 1 }),
    network: { base: 4, levels: 1 },
  });
  // 3x3x1x4 + 3x3x4x4 + 1x1x4x3 weights, 2 * (gamma + beta) of 4, bias of 3
  expect(parameterCount(graph)).toBe(36 + 144 + 12 + 16 + 3);
});

describe('buildStatistics', () => {
  it('assigns the moving statistics alone, without dropout', () => {
    const built = buildStatistics({ image, network });
    const assigned = assignsOf(built).map((value) => String(value.node.call.attrs.name));
    const statistics = built.parameters.map((p) => p.name).filter((name) => name.includes('/moving_'));
    expect([...assigned].sort()).toEqual(statistics.sort());
    const inputs = built.graph.nodes.filter((n) => n.op.name === 'input').map((n) => n.call.attrs.name);
    expect([...inputs].sort()).toEqual(['image', 'share']);
    expect(built.graph.nodes.filter((n) => n.op.name === 'random')).toEqual([]);
  });
});
