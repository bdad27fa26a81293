import { dimIndex, type Shape } from '../../core/index.ts';
import type { ResizeAttrs, ResizeKind } from '../../ops/index.ts';
import { type Frame, frameOf } from '../frames.ts';
import type { Tensor } from '../types.ts';
import type { Rule, Site } from './site.ts';

// Resizing as a product with a matrix along each axis, which is worked out from positions in whole numbers:
//
//   nearest  weights[o, i] = i = min(floor((2o + 1) n / 2m), n - 1)
//   linear   weights[o, i] = (1 - f) (i = low) + f (i = high),  s = max((2o + 1) n - m, 0), low = floor(s / 2m), f the rest / 2m

/** Frames of what is read and of the result along one axis, and their whole sizes. */
interface AxisFrames {
  readonly inner: Frame;
  readonly outer: Frame;
  readonly n: number;
  readonly m: number;
}

/** Weights with which outputs `outer` of m take inputs `inner` of n, [outer, inner]; frames have one dimension. */
function weights(site: Site<ResizeAttrs>, kind: ResizeKind, { inner, outer, n, m }: AxisFrames): Tensor {
  const { frames, writer: w } = site;
  const sizes = [outer.sizes[0], inner.sizes[0]];
  const output = frames.coordinates(outer, 0, sizes, 0);
  const input = frames.coordinates(inner, 0, sizes, 1);
  const center = w.with('multiply', w.with('add', w.with('multiply', output, 2), 1), n);
  const element = site.arithmetic;
  const at = (position: Tensor): Tensor => w.convert(w.compare('EQ', input, position), element);
  if (kind === 'nearest') return at(w.with('minimum', w.with('divide', center, 2 * m), n - 1));
  const s = w.with('maximum', w.with('subtract', center, m), 0);
  const low = w.with('divide', s, 2 * m);
  const high = w.with('minimum', w.with('add', low, 1), n - 1);
  const rest = w.convert(w.binary('subtract', s, w.with('multiply', low, 2 * m)), element);
  const part = w.with('divide', rest, 2 * m);
  const one = w.constant(element, 1, sizes);
  return w.binary(
    'add',
    w.binary('multiply', w.binary('subtract', one, part), at(low)),
    w.binary('multiply', part, at(high)),
  );
}

const along = ({ starts, sizes }: Frame, i: number): Frame => ({
  starts: starts.map((start) => [start[i]]),
  sizes: [sizes[i]],
});

/** `up`: the result is made by the weights, else by their transpose. */
const resized =
  (up: boolean): Rule<ResizeAttrs> =>
  (site) => {
    const { attrs, frame, inputs, reads, shape, writer: w } = site;
    const from = inputs[0].shape;
    const axes = Object.keys(attrs.size).map((name) => dimIndex(shape, name));
    const read = mixed(frameOf(reads[0]), frame, axes);
    const x = w.convert(site.input(0, read, 0), site.arithmetic);
    const made = axes.reduce((sofar, axis) => {
      const [inner, outer] = up ? [read, frame] : [frame, read];
      const [n, m] = up ? sizesOf(from, shape, axis) : sizesOf(shape, from, axis);
      const matrix = weights(site, attrs.kind, {
        inner: along(inner, axis),
        outer: along(outer, axis),
        n,
        m,
      });
      const product = w.dot(sofar, matrix, [], [[axis, up ? 1 : 0]], sofar.element);
      return w.transpose(product, lastTo(axis, product.sizes.length));
    }, x);
    return [site.asOutput(made)];
  };

const sizesOf = (a: Shape, b: Shape, axis: number): [number, number] => [a[axis].size, b[axis].size];

/** The frame of what is read along the axes, that of the result along all others. */
function mixed(read: Frame, frame: Frame, axes: readonly number[]): Frame {
  const pick = (own: readonly number[], out: readonly number[]): number[] =>
    own.map((n, i) => (axes.includes(i) ? n : out[i]));
  return {
    starts: read.starts.map((start, rank) => pick(start, frame.starts[rank])),
    sizes: pick(read.sizes, frame.sizes),
  };
}

/** An order that puts the last dimension at a position. */
function lastTo(axis: number, count: number): number[] {
  const others = Array.from({ length: count - 1 }, (_, i) => i);
  return others.toSpliced(axis, 0, count - 1);
}

export const resize = resized(true);
export const resizeGrad = resized(false);
