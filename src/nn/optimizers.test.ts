import { describe, expect, it } from 'vitest';
import { shape, type Value } from '../core/index.ts';
import { evaluate, inputOf } from '../ops/index.ts';
import { Context } from './context.ts';
import { feedsOf } from './feeds.testing.ts';
import { applyOptimizer, factoredDims, type OptimizerConfig } from './optimizers.ts';

/** Runs steps with the given gradients on a 2 x 3 weight that begins at `start`, feeding every update back. */
function run(optimizer: OptimizerConfig, start: number[], grads: number[][], rate = 0.1): number[][] {
  const ctx = new Context();
  const w = ctx.variable('w', shape({ a: 2, b: 3 }), { kind: 'constant', value: 0 });
  const g = inputOf(ctx.graph, 'g', w.shape);
  const assigns = applyOptimizer(
    ctx,
    optimizer,
    ctx.trainable,
    [g],
    inputOf(ctx.graph, 'learning_rate', [], 'f64'),
  );
  let state = feedsOf(ctx.graph, { w: start });
  return grads.map((grad, step) => {
    const feeds = {
      ...state,
      g: Float64Array.from(grad),
      step: Float64Array.of(step),
      learning_rate: Float64Array.of(rate),
    };
    const values = evaluate(ctx.graph, feeds, assigns);
    state = {
      ...feeds,
      ...Object.fromEntries(assigns.map((a: Value, i) => [String(a.node.call.attrs.name), values[i]])),
    };
    return [...state.w];
  });
}

const start = [1, -2, 3, -4, 5, -6];
const g1 = [0.1, 0.2, -0.3, 0.4, -0.5, 0.6];
const g2 = [-0.2, 0.1, 0.1, 0.3, 0.2, -0.1];
const rms = (x: number[]): number => Math.sqrt(x.reduce((s, v) => s + v * v, 0) / x.length);
const close = (found: number[], expected: number[]): void =>
  expected.forEach((e, i) => {
    expect(found[i]).toBeCloseTo(e, 10);
  });

describe('optimizers', () => {
  it('SGD with momentum and with Nesterov momentum', () => {
    const plain = run({ kind: 'sgd', momentum: 0.9 }, start, [g1, g2]);
    close(
      plain[0],
      start.map((w, i) => w - 0.1 * g1[i]),
    );
    close(
      plain[1],
      start.map((w, i) => w - 0.1 * g1[i] - 0.1 * (0.9 * g1[i] + g2[i])),
    );
    const nesterov = run({ kind: 'sgd', momentum: 0.9, nesterov: true }, start, [g1]);
    close(
      nesterov[0],
      start.map((w, i) => w - 0.1 * 1.9 * g1[i]),
    );
    const decayed = run({ kind: 'sgd', weightDecay: 0.01 }, start, [g1]);
    close(
      decayed[0],
      start.map((w, i) => w - 0.1 * (g1[i] + 0.01 * w)),
    );
  });

  it('Adam, and AdamW with decoupled decay', () => {
    const two = run({ kind: 'adam', weightDecay: 0.01 }, start, [g1, g2]);
    const step = (w: number, m: number, v: number, t: number): number =>
      w - 0.1 * (m / (1 - 0.9 ** t) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8)) - 0.1 * 0.01 * w;
    const first = start.map((w, i) => step(w, 0.1 * g1[i], 0.001 * g1[i] ** 2, 1));
    close(two[0], first);
    close(
      two[1],
      first.map((w, i) => step(w, 0.09 * g1[i] + 0.1 * g2[i], 0.000999 * g1[i] ** 2 + 0.001 * g2[i] ** 2, 2)),
    );
  });

  it('Adafactor, not factored: sign-like first step, clipped, times the size of the weight', () => {
    const [one, two] = run({ kind: 'adafactor' }, start, [g1, g2]);
    close(
      one,
      start.map((w, i) => w - 0.1 * rms(start) * Math.sign(g1[i])),
    );
    const fresh = 2 ** -0.8;
    const u = g2.map((g, i) => g / Math.sqrt((1 - fresh) * g1[i] ** 2 + fresh * g ** 2));
    close(
      two,
      one.map((w, i) => w - (0.1 * rms(one) * u[i]) / Math.max(1, rms(u))),
    );
  });

  it('Adafactor, factored over both dimensions', () => {
    const [one] = run({ kind: 'adafactor', factorFrom: 2, parameterScale: false, clip: null }, start, [g1]);
    const sq = g1.map((g) => g * g);
    const rows = [0, 1].map((a) => (sq[a * 3] + sq[a * 3 + 1] + sq[a * 3 + 2]) / 3);
    const columns = [0, 1, 2].map((b) => (sq[b] + sq[b + 3]) / 2);
    const mean = (rows[0] + rows[1]) / 2;
    close(
      one,
      start.map((w, i) => w - (0.1 * g1[i]) / Math.sqrt((rows[Math.floor(i / 3)] * columns[i % 3]) / mean)),
    );
  });

  it('clips gradients by their joint norm', () => {
    const norm = Math.sqrt(g1.reduce((s, g) => s + g * g, 0));
    close(
      run({ kind: 'sgd', clipNorm: 0.5 }, start, [g1])[0],
      start.map((w, i) => w - (0.1 * g1[i] * 0.5) / norm),
    );
    close(
      run({ kind: 'sgd', clipNorm: 5 }, start, [g1])[0],
      start.map((w, i) => w - 0.1 * g1[i]),
    );
  });

  it('keeps its slots as variables named after the parameter', () => {
    const ctx = new Context();
    const w = ctx.variable('down0/weight', shape({ k: 3, i: 128, o: 256 }), { kind: 'constant', value: 0 });
    applyOptimizer(
      ctx,
      { kind: 'adafactor' },
      ctx.trainable,
      [w],
      inputOf(ctx.graph, 'learning_rate', [], 'f64'),
    );
    const slots = ctx.parameters
      .filter((p) => !p.trainable)
      .map((p) => [p.name, p.value.shape.map((d) => d.name).join(' ')]);
    expect(slots).toEqual([
      ['down0/weight/adafactor/vr', 'k i'],
      ['down0/weight/adafactor/vc', 'k o'],
    ]);
    expect(factoredDims(shape({ k: 3, i: 127, o: 256 }))).toBeUndefined();
  });

  it('refuses a parameter that the loss does not depend on', () => {
    const ctx = new Context();
    ctx.variable('w', shape({ a: 2 }), { kind: 'constant', value: 0 });
    const rate = inputOf(ctx.graph, 'learning_rate', [], 'f64');
    expect(() => applyOptimizer(ctx, { kind: 'sgd' }, ctx.trainable, [undefined], rate)).toThrow(
      'the loss does not depend on parameter "w"',
    );
  });
});
