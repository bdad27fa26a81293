import { readFileSync } from 'node:fs';
import { fail, Graph, type Shape, type Value, volume } from '../../src/core/index.ts';
import { evaluate, gradients, inputOf, mul, reduceSum } from '../../src/ops/index.ts';

// Results of PyTorch, kept as files by test/fixtures/make_fixtures.py, and the comparison of an operation with them.

export interface Stored {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export interface Fixture<Settings> {
  readonly name: string;
  readonly settings: Settings;
  readonly inputs: Readonly<Record<string, Stored>>;
  /** The output `y`, and `dx` for every input `x` with a gradient, given the gradient `g` of the output. */
  readonly results: Readonly<Record<string, Stored>>;
}

export function fixtures<Settings>(file: string): readonly Fixture<Settings>[] {
  return JSON.parse(readFileSync(new URL(`../fixtures/${file}.json`, import.meta.url), 'utf8'));
}

/** Dimension names of a stored image: [batch, space..., channel]. */
export function imageDims({ shape }: Stored): string[] {
  return ['batch', ...['depth', 'height', 'width'].slice(5 - shape.length), 'channel'];
}

/** Spatial axes of a stored image. */
export function spaceOf(stored: Stored): string[] {
  return imageDims(stored).slice(1, -1);
}

export function named(names: readonly string[], sizes: readonly number[]): Shape {
  return names.map((name, i) => ({ name, size: sizes[i] }));
}

/**
 * Builds y from the fixture's inputs, whose dimension names `dims` gives, and compares y and the gradients of sum(y * g) with
 * the stored results to 1e-10.
 */
export function compare<Settings>(
  fixture: Fixture<Settings>,
  dims: Readonly<Record<string, readonly string[]>>,
  build: (inputs: Readonly<Record<string, Value>>) => Value,
): void {
  const { inputs, results } = fixture;
  const graph = new Graph();
  const feeds: Record<string, Float64Array> = {};
  const enter = (name: string, shape: Shape): Value => {
    const stored = inputs[name];
    if (volume(shape) !== stored.data.length)
      fail({ where: fixture.name, problem: `"${name}" has the shape ${stored.shape.join(' ')}` });
    feeds[name] = Float64Array.from(stored.data);
    return inputOf(graph, name, shape, name === 'target' ? 'i32' : 'f64');
  };
  const values = Object.fromEntries(
    Object.keys(dims).map((name) => [name, enter(name, named(dims[name], inputs[name].shape))]),
  );
  const y = build(values);
  const g = enter('g', y.shape);
  const loss = reduceSum(
    mul(y, g),
    y.shape.map((dim) => dim.name),
    'f64',
  );
  const wanted = Object.keys(dims).filter((name) => `d${name}` in results);
  const grads = gradients(
    loss,
    wanted.map((name) => values[name]),
  );
  const found = evaluate(graph, feeds, [y, ...grads.map((grad) => grad!)]);
  ['y', ...wanted.map((name) => `d${name}`)].forEach((name, i) => {
    const expected = results[name].data;
    if (found[i].length !== expected.length)
      fail({
        where: name,
        problem: 'number of elements',
        expected: `${expected.length}`,
        found: `${found[i].length}`,
      });
    expected.forEach((x, k) => {
      if (!(Math.abs(found[i][k] - x) <= 1e-10 * Math.max(1, Math.abs(x))))
        fail({
          where: `${fixture.name}: ${name}[${k}]`,
          problem: 'numbers differ',
          expected: `${x}`,
          found: `${found[i][k]}`,
        });
    });
  });
}
