import { describe, expect, it } from 'vitest';
import { Graph, shape } from '../core/index.ts';
import { add, exp } from './elementwise.ts';
import { evaluate } from './evaluate.ts';
import { inputOf, variableOf } from './source.ts';

const dims = shape({ depth: 2 });

describe('evaluate', () => {
  it('runs what the values depend on, and asks for no other input', () => {
    const graph = new Graph();
    const x = inputOf(graph, 'x', dims);
    const v = variableOf(graph, {
      name: 'v',
      shape: [],
      dtype: 'f32',
      init: { kind: 'constant', value: 0 },
      trainable: true,
    });
    exp(inputOf(graph, 'unused', dims));
    const [y, same] = evaluate(graph, { x: Float64Array.of(1, 2), v: Float64Array.of(10) }, [add(x, v), x]);
    expect([...y]).toEqual([11, 12]);
    expect([...same]).toEqual([1, 2]);
  });

  it('names the input or variable that was not given, or given with another size', () => {
    const graph = new Graph();
    const x = inputOf(graph, 'x', dims);
    expect(() => evaluate(graph, { y: new Float64Array(2) }, [x])).toThrow(
      'evaluate: input "x": no value was given for it; expected 2 numbers. Given are: y',
    );
    expect(() => evaluate(graph, { x: new Float64Array(3) }, [x])).toThrow(
      'wrong number of values; expected 2, found 3',
    );
    expect(() => evaluate(new Graph(), {}, [x])).toThrow('a value belongs to another graph');
  });
});
