import { describe, expect, it } from 'vitest';
import { Graph, shape, type Value } from '../../src/core/index.ts';
import {
  argmax,
  evaluate,
  gradients,
  inputOf,
  maximum,
  maxPoolRaw,
  minimum,
  reduceMax,
  reduceMin,
  reduceSum,
  windows,
} from '../../src/ops/index.ts';

// Where the largest element is not the only one: what the operations choose, and where their gradients go.

/** Gradient of the sum of build(x) for x. */
function gradientOf(
  sizes: Readonly<Record<string, number>>,
  x: readonly number[],
  build: (x: Value) => Value,
): number[] {
  const graph = new Graph();
  const input = inputOf(graph, 'x', shape(sizes), 'f64');
  const y = build(input);
  const [dx] = gradients(
    reduceSum(
      y,
      y.shape.map((dim) => dim.name),
    ),
    [input],
  );
  return [...evaluate(graph, { x: Float64Array.from(x) }, [dx!])[0]];
}

describe('ties', () => {
  it('max pooling sends each gradient to the first largest element in row-major order', () => {
    const pooled = (x: Value) => maxPoolRaw(x, windows({ height: 2, width: 2 }, { stride: 2 }));
    const x = [0, 5, 0, 0, 5, 5, 0, 0];
    expect(gradientOf({ height: 2, width: 4, channel: 1 }, x, pooled)).toEqual([0, 1, 1, 0, 0, 0, 0, 0]);
  });

  it('overlapping windows each choose for themselves', () => {
    const pooled = (x: Value) => maxPoolRaw(x, windows({ width: 3 }, { padding: 1 }));
    expect(gradientOf({ width: 5, channel: 1 }, [2, 2, 1, 2, 2], pooled)).toEqual([2, 1, 0, 2, 0]);
  });

  it('an extremum over dimensions shares its gradient', () => {
    expect(gradientOf({ width: 4 }, [3, 1, 3, 1], (x) => reduceMax(x, ['width']))).toEqual([0.5, 0, 0.5, 0]);
    expect(gradientOf({ width: 4 }, [3, 1, 3, 1], (x) => reduceMin(x, ['width']))).toEqual([0, 0.5, 0, 0.5]);
  });

  it('minimum and maximum send it once, to the first argument', () => {
    expect(gradientOf({ width: 2 }, [1, 2], (x) => maximum(x, x))).toEqual([1, 1]);
    expect(gradientOf({ width: 2 }, [1, 2], (x) => minimum(x, x))).toEqual([1, 1]);
  });

  it('argmax takes the lowest', () => {
    const graph = new Graph();
    const x = inputOf(graph, 'x', shape({ width: 3, class: 3 }));
    const feeds = { x: Float64Array.of(1, 1, 0, 0, 2, 2, -1, -1, -1) };
    expect([...evaluate(graph, feeds, [argmax(x, 'class')])[0]]).toEqual([0, 1, 0]);
  });
});
