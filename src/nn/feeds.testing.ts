import { type Graph, normal, type Value, volume } from '../core/index.ts';
import type { Feeds, VariableAttrs } from '../ops/index.ts';
import { streamOf } from './context.ts';

// For tests: values for every input and variable of a graph.

/** First values of all variables and random inputs; `given` takes precedence. Inputs: normal f32, labels 0 to 2, else 0. */
export function feedsOf(graph: Graph, given: Readonly<Record<string, Float64Array | number[]>> = {}): Feeds {
  const feeds: Record<string, Float64Array> = {};
  for (const { op, call, outputs } of graph.nodes) {
    if (op.name !== 'input' && op.name !== 'variable') continue;
    const { name, init } = call.attrs as VariableAttrs;
    const draw = (index: number): number => normal(1, streamOf(name), 0, index);
    const numbers = Float64Array.from({ length: volume(outputs[0].shape) }, (_, i) => {
      if (init !== undefined)
        return init.kind === 'constant'
          ? init.value
          : ('deviation' in init ? init.deviation : init.bound) * draw(i);
      if (outputs[0].dtype === 'u8') return Math.floor(Math.abs(draw(i)) * 2) % 3;
      return outputs[0].shape.length === 0 ? 0 : draw(i);
    });
    feeds[name] = Object.hasOwn(given, name) ? Float64Array.from(given[name]) : numbers;
  }
  return feeds;
}

/** Adds `by` to one number of a feed. */
export function moved(feeds: Feeds, name: string, index: number, by: number): Feeds {
  const copy = Float64Array.from(feeds[name]);
  copy[index] += by;
  return { ...feeds, [name]: copy };
}

/** The derivative of a number by one number of a feed, told from its values on both sides. */
export function difference(of: (feeds: Feeds) => number, feeds: Feeds, name: string, index: number): number {
  const h = 1e-5;
  return (of(moved(feeds, name, index, h)) - of(moved(feeds, name, index, -h))) / (2 * h);
}

/** The same by each number of a feed. */
export const differences = (of: (feeds: Feeds) => number, feeds: Feeds, name: string): number[] =>
  Array.from(feeds[name], (_, index) => difference(of, feeds, name, index));

/** `batch=1 depth=5`: sizes in short, for expectations. */
export function sizes(value: Value): string {
  return value.shape.map((dim) => `${dim.name}=${dim.size}`).join(' ');
}
