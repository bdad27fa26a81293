import { describe, expect, it } from 'vitest';
import { type Graph, shape, type Value } from '../core/index.ts';
import { evaluate, gradients, inputOf, mul, reduceSum } from '../ops/index.ts';
import { Context } from './context.ts';
import { feedsOf, moved } from './feeds.testing.ts';
import { batchNorm, groupNorm, instanceNorm } from './norm.ts';

const X = shape({ batch: 2, height: 3, width: 2, channel: 4 });
const at = (b: number, p: number, c: number): number => (b * 6 + p) * 4 + c;

function normed(
  build: (ctx: Context, x: Value) => Value,
  training = true,
): { ctx: Context; graph: Graph; y: Value } {
  const ctx = new Context({ training });
  return { ctx, graph: ctx.graph, y: build(ctx, inputOf(ctx.graph, 'x', X)) };
}

/** (x - mean) / sqrt(var + epsilon) over the elements for which `same` holds; gamma c + 1, beta c / 2. */
function byFormula(
  x: Float64Array,
  epsilon: number,
  same: (b: number, c: number, b2: number, c2: number) => boolean,
): number[] {
  const y: number[] = [];
  for (let b = 0; b < 2; b++)
    for (let p = 0; p < 6; p++)
      for (let c = 0; c < 4; c++) {
        const members: number[] = [];
        for (let b2 = 0; b2 < 2; b2++)
          for (let q = 0; q < 6; q++)
            for (let c2 = 0; c2 < 4; c2++) if (same(b, c, b2, c2)) members.push(x[at(b2, q, c2)]);
        const mean = members.reduce((s, v) => s + v, 0) / members.length;
        const variance = members.reduce((s, v) => s + (v - mean) ** 2, 0) / members.length;
        y.push(((x[at(b, p, c)] - mean) / Math.sqrt(variance + epsilon)) * (c + 1) + c / 2);
      }
  return y;
}

const affine = { gamma: [1, 2, 3, 4], beta: [0, 0.5, 1, 1.5] };
const under = (name: string): Record<string, number[]> =>
  Object.fromEntries(Object.entries(affine).map(([key, value]) => [`${name}/${key}`, value]));

describe('norms', () => {
  it.each([
    [
      'batch_norm',
      1e-6,
      (ctx: Context, x: Value) => batchNorm(ctx, x),
      (_b: number, c: number, _d: number, e: number) => c === e,
    ],
    [
      'instance_norm',
      1e-5,
      (ctx: Context, x: Value) => instanceNorm(ctx, x),
      (b: number, c: number, d: number, e: number) => b === d && c === e,
    ],
    [
      'group_norm',
      1e-5,
      (ctx: Context, x: Value) => groupNorm(ctx, x, { groups: 2 }),
      (b: number, c: number, d: number, e: number) => b === d && c >> 1 === e >> 1,
    ],
  ])('%s follows its formula', (name, epsilon, build, same) => {
    const { graph, y } = normed(build);
    const feeds = feedsOf(graph, under(name));
    const [result] = evaluate(graph, feeds, [y]);
    byFormula(feeds.x, epsilon, same).forEach((expected, i) => {
      expect(result[i]).toBeCloseTo(expected, 12);
    });
  });

  it.each([
    ['batch', (ctx: Context, x: Value) => batchNorm(ctx, x)],
    ['instance', (ctx: Context, x: Value) => instanceNorm(ctx, x)],
    ['group', (ctx: Context, x: Value) => groupNorm(ctx, x, { groups: 2 })],
  ])('gradient of %s norm is the finite difference', (_name, build) => {
    const { graph, y } = normed(build);
    const weights = inputOf(graph, 'weights', X);
    const loss = reduceSum(
      mul(y, weights),
      X.map((d) => d.name),
      'f64',
    );
    const x = graph.nodes[0].outputs[0];
    const [dx] = gradients(loss, [x]) as [Value];
    const feeds = feedsOf(graph);
    const [exact] = evaluate(graph, feeds, [dx]);
    for (const i of [0, 7, 30, 47]) {
      const [high] = evaluate(graph, moved(feeds, 'x', i, 1e-5), [loss]);
      const [low] = evaluate(graph, moved(feeds, 'x', i, -1e-5), [loss]);
      expect((high[0] - low[0]) / 2e-5).toBeCloseTo(exact[i], 7);
    }
  });

  it('keeps a tenth of each batch in the moving statistics and uses them after training', () => {
    const { ctx, graph } = normed((c, x) => batchNorm(c, x));
    const feeds = feedsOf(graph, { 'batch_norm/moving_mean': [1, 1, 1, 1] });
    const [mean, variance] = evaluate(
      graph,
      feeds,
      ctx.updates.map((u) => u.value),
    );
    const channel = Array.from({ length: 12 }, (_, i) => feeds.x[i * 4 + 2]);
    const m = channel.reduce((s, v) => s + v, 0) / 12;
    expect(mean[2]).toBeCloseTo(0.9 * 1 + 0.1 * m, 12);
    expect(variance[2]).toBeCloseTo(0.9 * 1 + (0.1 * channel.reduce((s, v) => s + (v - m) ** 2, 0)) / 12, 12);

    const later = normed((c, x) => batchNorm(c, x), false);
    const moving = { 'batch_norm/moving_mean': [1, 2, 3, 4], 'batch_norm/moving_variance': [4, 4, 4, 4] };
    const after = feedsOf(later.graph, { ...under('batch_norm'), ...moving });
    const [y] = evaluate(later.graph, after, [later.y]);
    expect(y[at(1, 2, 3)]).toBeCloseTo(((after.x[at(1, 2, 3)] - 4) / Math.sqrt(4 + 1e-6)) * 4 + 1.5, 12);
    expect(later.ctx.updates).toEqual([]);
  });

  it('takes the share of a batch that it is told when it measures', () => {
    const ctx = new Context({ measuring: true });
    const y = batchNorm(ctx, inputOf(ctx.graph, 'x', X));
    expect(ctx.training).toBe(false);
    const feeds = feedsOf(ctx.graph, { share: [0.25], 'batch_norm/moving_mean': [1, 2, 3, 4] });
    const values = [y, ...ctx.updates.map((u) => u.value)];
    const [z, mean] = evaluate(ctx.graph, feeds, values);
    const channel = Array.from({ length: 12 }, (_, i) => feeds.x[i * 4 + 2]);
    expect(mean[2]).toBeCloseTo(0.75 * 3 + (0.25 * channel.reduce((s, v) => s + v, 0)) / 12, 12);
    const trained = normed((c, x) => batchNorm(c, x));
    expect(z).toEqual(evaluate(trained.graph, { ...feeds }, [trained.y])[0]);
  });

  it('gives beta for a constant channel', () => {
    const { graph, y } = normed((ctx, x) => batchNorm(ctx, x));
    const [result] = evaluate(
      graph,
      feedsOf(graph, { x: new Array(48).fill(3.3), 'batch_norm/beta': [7, 7, 7, 7] }),
      [y],
    );
    expect(result[0]).toBeCloseTo(7, 6);
  });

  it('meets the big tensor with one multiply and one add', () => {
    const { graph } = normed((ctx, x) => batchNorm(ctx, x));
    const big = graph.nodes.filter((n) => n.outputs[0].shape.length === 4).map((n) => n.op.name);
    expect(big).toEqual(['input', 'square', 'mul', 'add']);
  });

  it('refuses groups that do not divide the channels', () => {
    expect(() => normed((ctx, x) => groupNorm(ctx, x, { groups: 3 }))).toThrow(
      '4 channels do not make 3 equal groups',
    );
  });
});
