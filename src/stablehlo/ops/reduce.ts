import { type Box, dimIndex, type Shape } from '../../core/index.ts';
import type { EinsumAttrs, ReduceAttrs } from '../../ops/index.ts';
import { type Frame, frameOf } from '../frames.ts';
import type { Join } from '../lines.ts';
import type { Tensor } from '../types.ts';
import type { Writer } from '../writer.ts';
import type { Rule } from './site.ts';

// Sums, extrema and sums of products. A rank reads its own part, and what stands beside it in the frame must not count.

/** Frames of inputs: dimensions that the output has lie as there, the others as the rank's part of them. */
export function readFrame(reads: readonly Box[], shape: Shape, frame: Frame, of: Shape): Frame {
  const own = frameOf(reads);
  const pick = (mine: readonly number[], out: readonly number[]): number[] =>
    shape.map(({ name }, i) => {
      const at = dimIndex(of, name);
      return at < 0 ? mine[i] : out[at];
    });
  return {
    starts: own.starts.map((start, rank) => pick(start, frame.starts[rank])),
    sizes: pick(own.sizes, frame.sizes),
  };
}

const reduction =
  (join: Join, neutral: number): Rule<ReduceAttrs> =>
  (site) => {
    const { attrs, call, frame, inputs, reads, shape, writer } = site;
    const from = inputs[0].shape;
    const x = site.input(0, readFrame(reads[0], from, frame, shape), neutral);
    const element = site.floatOf([x.element, writer.elementOf(call.outputs[0].dtype)]);
    const over = attrs.over.map((name) => dimIndex(from, name)).sort((a, b) => a - b);
    return [site.asOutput(writer.reduce(writer.convert(x, element), join, neutral, over))];
  };

export const reduceSum = reduction('add', 0);
export const reduceMax = reduction('maximum', Number.NEGATIVE_INFINITY);
export const reduceMin = reduction('minimum', Number.POSITIVE_INFINITY);

/** A tensor and the names of its dimensions. */
interface Named {
  readonly tensor: Tensor;
  readonly dims: readonly string[];
}

/** Products of two, summed over what both have and `kept` has not. */
function product(w: Writer, a: Named, b: Named, kept: ReadonlySet<string>): Named {
  const shared = a.dims.filter((name) => b.dims.includes(name));
  const pairs = (names: readonly string[]) =>
    names.map((name) => [a.dims.indexOf(name), b.dims.indexOf(name)] as const);
  const batching = shared.filter((name) => kept.has(name));
  const contracting = shared.filter((name) => !kept.has(name));
  const tensor = w.dot(a.tensor, b.tensor, pairs(batching), pairs(contracting), a.tensor.element);
  const free = (x: Named): string[] => x.dims.filter((name) => !shared.includes(name));
  return { tensor, dims: [...batching, ...free(a), ...free(b)] };
}

/** Summed over the dimensions that none of `kept` names. */
function summed(w: Writer, { tensor, dims }: Named, kept: ReadonlySet<string>): Named {
  const over = dims.flatMap((name, i) => (kept.has(name) ? [] : [i]));
  return { tensor: w.reduce(tensor, 'add', 0, over), dims: dims.filter((name) => kept.has(name)) };
}

export const einsum: Rule<EinsumAttrs> = (site) => {
  const { attrs, call, frame, inputs, reads, shape, writer: w } = site;
  const element = site.floatOf([site.arithmetic, ...call.outputs.map(({ dtype }) => w.elementOf(dtype))]);
  const read = inputs.map((input, i): Named => {
    const x = site.input(i, readFrame(reads[i], input.shape, frame, shape), 0);
    return { tensor: w.convert(x, element), dims: input.shape.map(({ name }) => name) };
  });
  // What later factors or the output still need of the first ones.
  const needed = (from: number): ReadonlySet<string> =>
    new Set([...attrs.output, ...read.slice(from).flatMap(({ dims }) => dims)]);
  const all = read
    .slice(1)
    .reduce((sofar, next, i) => product(w, summed(w, sofar, needed(i + 1)), next, needed(i + 2)), read[0]);
  const { tensor, dims } = summed(w, all, new Set(attrs.output));
  const order = attrs.output.map((name) => dims.indexOf(name));
  return [site.asOutput(w.transpose(tensor, order))];
};
