import { describe, expect, it } from 'vitest';
import { Graph, shape, uniform } from '../core/index.ts';
import { reduceSum } from './broadcast.ts';
import { mul } from './elementwise.ts';
import { evaluate } from './evaluate.ts';
import { gradients } from './gradients.ts';
import { dropout, type RandomAttrs, randomOf } from './random.ts';
import { inputOf } from './source.ts';

const dims = shape({ batch: 2, depth: 30, height: 20, channel: 5 });
const base: RandomAttrs = { shape: dims, dtype: 'f32', distribution: 'uniform', seed: 1, stream: 2 };

function draws(attrs: Partial<RandomAttrs>, step?: number): Float64Array {
  const graph = new Graph();
  const input = step === undefined ? undefined : inputOf(graph, 'step', [], 'i32');
  const value = randomOf(graph, { ...base, ...attrs }, input);
  return evaluate(graph, step === undefined ? {} : { step: Float64Array.of(step) }, [value])[0];
}

const mean = (x: Float64Array): number => x.reduce((sum, v) => sum + v, 0) / x.length;

describe('random', () => {
  it('is keyed by seed, stream, step and row-major index', () => {
    const x = draws({}, 3);
    expect(x[0]).toBe(uniform(1, 2, 3, 0));
    // [1, 4, 7, 2] of [2, 30, 20, 5]
    const at = ((1 * 30 + 4) * 20 + 7) * 5 + 2;
    expect(x[at]).toBe(uniform(1, 2, 3, at));
    expect(draws({})).toEqual(draws({}, 0));
    for (const other of [draws({ seed: 2 }, 3), draws({ stream: 1 }, 3), draws({}, 4)])
      expect(other).not.toEqual(x);
  });

  it('has the moments of its distribution', () => {
    expect(mean(draws({}))).toBeCloseTo(0.5, 1);
    const normal = draws({ distribution: 'normal' });
    expect(mean(normal)).toBeCloseTo(0, 1);
    expect(mean(normal.map((x) => x * x))).toBeCloseTo(1, 1);
    const kept = draws({ distribution: 'bernoulli', keep: 0.3 });
    expect([...new Set(kept)].sort()).toEqual([0, 1]);
    expect(mean(kept)).toBeCloseTo(0.3, 1);
  });

  it('refuses keys and probabilities that cannot be', () => {
    expect(() => draws({ seed: -1 })).toThrow(
      'impossible seed; expected a whole number from 0 to 2^32 - 1, found -1',
    );
    expect(() => draws({ stream: 0.5 })).toThrow('impossible stream');
    expect(() => draws({ distribution: 'bernoulli' })).toThrow('impossible probability "keep"');
  });
});

describe('dropout', () => {
  it('keeps a share, divides it by that share, and sends gradients through the same mask', () => {
    const graph = new Graph();
    const x = inputOf(graph, 'x', dims);
    const g = inputOf(graph, 'g', dims);
    const step = inputOf(graph, 'step', [], 'i32');
    const y = dropout(x, 0.25, { seed: 1, stream: 9 }, step);
    const names = dims.map((dim) => dim.name);
    const [dx] = gradients(reduceSum(mul(y, g), names), [x]);
    const ones = new Float64Array(6000).fill(1);
    const [out, grad] = evaluate(graph, { x: ones, g: ones, step: Float64Array.of(5) }, [y, dx!]);
    expect([...new Set(out)].sort()).toEqual([0, 4]);
    expect(mean(out)).toBeCloseTo(1, 0);
    expect(grad).toEqual(out);
  });

  it('refuses to keep nothing', () => {
    const graph = new Graph();
    const x = inputOf(graph, 'x', dims);
    expect(() => dropout(x, 0, { seed: 0, stream: 0 })).toThrow('expected above 0, at most 1, found 0');
  });
});
