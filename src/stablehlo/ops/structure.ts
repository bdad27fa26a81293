import { dimIndex } from '../../core/index.ts';
import {
  type ConcatAttrs,
  equalEnds,
  type PadAttrs,
  type ReshapeAttrs,
  type SliceAttrs,
  type TransposeAttrs,
} from '../../ops/index.ts';
import type { Frame } from '../frames.ts';
import type { Tensor } from '../types.ts';
import type { Rule } from './site.ts';

// The same elements elsewhere or under other dimensions.

/** A frame that begins later by so much along each dimension. */
export const moved = (frame: Frame, by: readonly number[]): Frame => ({
  starts: frame.starts.map((start) => start.map((at, i) => at + by[i])),
  sizes: frame.sizes,
});

export const transpose: Rule<TransposeAttrs> = (site) => {
  const { frame, inputs, shape, writer } = site;
  const x = site.input(0, site.projected(0, frame, shape));
  const order = shape.map((dim) => dimIndex(inputs[0].shape, dim.name));
  return [writer.transpose(x, order)];
};

/** Ends that pass lie as in the result, and the dimensions between them are whole in both. */
export const reshape: Rule<ReshapeAttrs> = (site) => {
  const { frame, inputs, shape, writer } = site;
  const from = inputs[0].shape;
  const { leading, trailing } = equalEnds(from, shape);
  const ends = (whole: readonly number[], out: readonly number[]): number[] =>
    whole.map((n, i) => {
      if (i < leading) return out[i];
      return i >= from.length - trailing ? out[i + shape.length - from.length] : n;
    });
  const zeros = from.map(() => 0);
  const sizes = ends(
    from.map((dim) => dim.size),
    frame.sizes,
  );
  const x = site.input(0, { starts: frame.starts.map((start) => ends(zeros, start)), sizes });
  return [writer.reshape(x, frame.sizes)];
};

export const concat: Rule<ConcatAttrs> = (site) => {
  const { attrs, frame, inputs, shape, writer } = site;
  const at = dimIndex(shape, attrs.dim);
  const begins = inputs.map((_, k) => inputs.slice(0, k).reduce((sum, x) => sum + x.shape[at].size, 0));
  const whole = frame.sizes[at] === shape[at].size && frame.starts.every((start) => start[at] === 0);
  const part = (k: number): Tensor => {
    if (whole) return site.input(k, along(frame, at, inputs[k].shape[at].size));
    const by = shape.map((_, i) => (i === at ? -begins[k] : 0));
    return site.input(k, moved(frame, by), 0);
  };
  const parts = inputs.map((_, k) => site.asOutput(part(k)));
  if (whole) return [writer.concatenate(parts, at)];
  // Where the joined dimension is split: each input with zeros in place of the others.
  return [parts.reduce((sum, x) => writer.binary('add', sum, x))];
};

/** A frame with another size along a dimension. */
const along = (frame: Frame, at: number, size: number): Frame => ({
  starts: frame.starts,
  sizes: frame.sizes.map((n, i) => (i === at ? size : n)),
});

export const slice: Rule<SliceAttrs> = (site) => {
  const by = site.shape.map(({ name }) => site.attrs.ranges[name]?.[0] ?? 0);
  return [site.input(0, moved(site.frame, by))];
};

export const pad: Rule<PadAttrs> = (site) => {
  const by = site.shape.map(({ name }) => -(site.attrs.padding[name]?.[0] ?? 0));
  return [site.input(0, moved(site.frame, by), site.attrs.value)];
};
