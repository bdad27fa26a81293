import { type Attrs, type Box, dimIndex, type Shape } from '../../core/index.ts';
import type { AlongAttrs, ClassSumsAttrs, CrossEntropyAttrs } from '../../ops/index.ts';
import type { Frame } from '../frames.ts';
import type { Element, Tensor } from '../types.ts';
import type { Writer } from '../writer.ts';
import { readFrame } from './reduce.ts';
import type { Rule, Site } from './site.ts';

// Softmax, the largest class, and losses over classes. The dimension of the classes is whole in every frame.

/** A frame of an input that has one dimension whole beside those of `frame`, which lies over dimensions `of`. */
function withWhole(x: Shape, dim: string, frame: Frame, of: Shape): Frame {
  const pick = (whole: (size: number) => number, own: readonly number[]): number[] =>
    x.map(({ name, size }) => (name === dim ? whole(size) : own[dimIndex(of, name)]));
  return {
    starts: frame.starts.map((start) => pick(() => 0, start)),
    sizes: pick((size) => size, frame.sizes),
  };
}

/** A tensor that lacks dimension `axis`, repeated along it. */
function along(w: Writer, x: Tensor, sizes: readonly number[], axis: number): Tensor {
  const dims = sizes.flatMap((_, i) => (i === axis ? [] : [i]));
  return w.broadcast(x, sizes, dims);
}

const LEAST = Number.NEGATIVE_INFINITY;

/** x[c] - m - log(sum over k of e^(x[k] - m)) along an axis, m the largest x. */
function logSoftmax(w: Writer, x: Tensor, axis: number): Tensor {
  const largest = along(w, w.reduce(x, 'maximum', LEAST, [axis]), x.sizes, axis);
  const below = w.binary('subtract', x, largest);
  const total = w.reduce(w.unary('exponential', below), 'add', 0, [axis]);
  return w.binary('subtract', below, along(w, w.unary('log', total), x.sizes, axis));
}

export const softmax: Rule<AlongAttrs> = (site) => {
  const { arithmetic, attrs, frame, inputs, shape, writer: w } = site;
  const x = site.input(0, withWhole(inputs[0].shape, attrs.dim, frame, shape));
  const axis = dimIndex(shape, attrs.dim);
  return [site.asOutput(w.unary('exponential', logSoftmax(w, w.convert(x, arithmetic), axis)))];
};

/** The lowest of the positions of the largest; NaN is never the largest. */
export const argmax: Rule<AlongAttrs> = (site) => {
  const { arithmetic, attrs, frame, inputs, shape, writer: w } = site;
  const from = inputs[0].shape;
  const axis = dimIndex(from, attrs.dim);
  const x = w.convert(site.input(0, withWhole(from, attrs.dim, frame, shape)), arithmetic);
  const least = w.constant(arithmetic, LEAST, x.sizes);
  const numbers = w.select(w.compare('EQ', x, x), x, least);
  const largest = along(w, w.reduce(numbers, 'maximum', LEAST, [axis]), x.sizes, axis);
  const last = from[axis].size - 1;
  const positions = w.select(
    w.compare('EQ', numbers, largest),
    w.iota('i32', x.sizes, axis),
    w.constant('i32', last, x.sizes),
  );
  return [site.asOutput(w.reduce(positions, 'minimum', last, [axis]))];
};

/** Logits and labels of a use over one frame, with what losses make of them. */
interface OverLogits {
  readonly axis: number;
  /** Over the logits' sizes. */
  readonly log: Tensor;
  /** 1 at the class of the label, else 0; a label that is no class has none. */
  readonly hit: Tensor;
  /** The same as a truth value. */
  readonly hits: Tensor;
  readonly element: Element;
}

function overLogits<A extends Attrs & { readonly classes: string }>(
  site: Site<A>,
  logitFrame: Frame,
  labelFrame: Frame,
  outside?: number,
): OverLogits {
  const { attrs, inputs, writer: w } = site;
  const [logits] = inputs;
  const axis = dimIndex(logits.shape, attrs.classes);
  const element = site.floatOf([logits.tensor.element]);
  const x = w.convert(site.input(0, logitFrame, outside), element);
  const labels = w.convert(site.input(1, labelFrame, outside), 'i32');
  const hits = w.compare('EQ', w.iota('i32', x.sizes, axis), along(w, labels, x.sizes, axis));
  return { axis, log: logSoftmax(w, x, axis), hit: w.convert(hits, element), hits, element };
}

/** weights[label] over the labels' sizes. */
function weightOf(w: Writer, { axis, hit }: OverLogits, weights: readonly number[]): Tensor {
  const each = w.broadcast(w.table(hit.element, [weights.length], weights), hit.sizes, [axis]);
  return w.reduce(w.binary('multiply', hit, each), 'add', 0, [axis]);
}

/** One class of x along an axis. */
function ofClass(w: Writer, x: Tensor, axis: number, cls: number): Tensor {
  const from = x.sizes.map((_, i) => (i === axis ? cls : 0));
  const to = x.sizes.map((size, i) => (i === axis ? cls + 1 : size));
  return w.reshape(
    w.slice(x, from, to),
    x.sizes.filter((_, i) => i !== axis),
  );
}

/** Sums a tensor over the labels' sizes onto the kept dimensions, over the rank's own part alone. */
function sums(
  site: Site<{ readonly classes: string; readonly keep: readonly string[] }>,
  terms: (over: OverLogits) => readonly Tensor[],
): Tensor[] {
  const { call, frame, frames, inputs, reads, shape, writer: w } = site;
  const [logits, labels] = inputs;
  const labelFrame = readFrame(reads[1], labels.shape, frame, shape);
  const over = overLogits(
    site,
    withWhole(logits.shape, site.attrs.classes, labelFrame, labels.shape),
    labelFrame,
    // Numbers that no logarithm of a softmax overflows at.
    0,
  );
  const summed = labels.shape.flatMap(({ name }, i) => (site.attrs.keep.includes(name) ? [] : [i]));
  const open = summed.filter((i) => reads[1].some((box, rank) => !fills(box, labelFrame, rank, i)));
  const wide = w.elementOf(call.outputs[0].dtype);
  return terms(over).map((term) => {
    const counted =
      open.length === 0
        ? term
        : w.select(frames.inside(labelFrame, reads[1], open), term, w.constant(term.element, 0, term.sizes));
    return w.reduce(w.convert(counted, wide), 'add', 0, summed);
  });
}

const fills = (box: Box, { starts, sizes }: Frame, rank: number, i: number): boolean =>
  box[i].start === starts[rank][i] && box[i].end === starts[rank][i] + sizes[i];

export const crossEntropy: Rule<CrossEntropyAttrs> = (site) => {
  const { attrs, writer: w } = site;
  return sums(site, (over) => {
    const { axis, hits, log } = over;
    const zero = w.constant(log.element, 0, log.sizes);
    const negative = w.unary('negate', w.reduce(w.select(hits, log, zero), 'add', 0, [axis]));
    return [w.binary('multiply', negative, weightOf(w, over, attrs.weights))];
  });
};

export const classSums: Rule<ClassSumsAttrs> = (site) => {
  const { attrs, writer: w } = site;
  return sums(site, ({ axis, hit, log }) => {
    const p = w.unary('exponential', ofClass(w, log, axis, attrs.cls));
    const t = ofClass(w, hit, axis, attrs.cls);
    return [w.binary('multiply', p, t), p, t];
  });
};

/** A gradient of sums over the logits' frame. */
const overFrame = (site: Site, i: number, element: Element): Tensor =>
  site.spread(i, site.frame, site.shape, element);

/** Logits and labels in the frame of the gradient. */
function gradientOf<A extends Attrs & { readonly classes: string }>(site: Site<A>): OverLogits {
  const { attrs, frame, shape } = site;
  return overLogits(site, withWhole(shape, attrs.classes, frame, shape), site.projected(1, frame, shape));
}

export const crossEntropyGrad: Rule<CrossEntropyAttrs> = (site) => {
  const { attrs, writer: w } = site;
  const over = gradientOf(site);
  const { axis, element, hit, log } = over;
  const weight = along(w, weightOf(w, over, attrs.weights), log.sizes, axis);
  const factor = w.binary('multiply', overFrame(site, 2, element), weight);
  const difference = w.binary('subtract', w.unary('exponential', log), hit);
  return [site.asOutput(w.binary('multiply', factor, difference))];
};

export const classSumsGrad: Rule<ClassSumsAttrs> = (site) => {
  const { attrs, writer: w } = site;
  const { axis, element, hit, log } = gradientOf(site);
  const everywhere = (x: Tensor): Tensor => along(w, ofClass(w, x, axis, attrs.cls), x.sizes, axis);
  const softmaxes = w.unary('exponential', log);
  const t = everywhere(hit);
  const own = w.binary(
    'add',
    w.binary('multiply', overFrame(site, 2, element), t),
    overFrame(site, 3, element),
  );
  const here = w.convert(
    w.compare('EQ', w.iota('i32', log.sizes, axis), w.constant('i32', attrs.cls, log.sizes)),
    element,
  );
  const factor = w.binary('multiply', own, everywhere(softmaxes));
  return [site.asOutput(w.binary('multiply', factor, w.binary('subtract', here, softmaxes)))];
};
