import type { Window } from '../../core/index.ts';
import type { ConvAttrs, ConvTransposeAttrs, ConvWeightGradAttrs, Windows } from '../../ops/index.ts';
import { type Frame, frameOf, type Held } from '../frames.ts';
import type { Element, Tensor } from '../types.ts';
import type { Convolution, Writer } from '../writer.ts';
import type { Rule, Site } from './site.ts';
import { readDown, readUp, windowsOf } from './windows.ts';

// Convolution and its transposes. An image is [batch, space..., channel] in the program too: dimensions after the first are all
// spatial, those without a window with one of a single element; a first dimension with a window gets a batch of one before it.
//
//   conv              image [b 0 1 2 f], kernel [0 1 2 i o], result [b 0 1 2 f]
//   conv_transpose    the same with the kernel run through backwards, its labels [0 1 2 o i], the image spread by the stride
//   conv_weight_grad  image [f 0 1 2 b], the gradient as kernel [i 0 1 2 o] spread by the stride, result [0 1 2 b f]: channels
//                     in the place of the batch

/** The element types of a product and of its result: bfloat16 is multiplied as such, and summed in float32. */
function multiplied(site: Site): [factors: Element, sums: Element] {
  const [image] = site.inputs;
  if (image.tensor.element === 'bf16') return ['bf16', 'f32'];
  return [site.arithmetic, site.arithmetic];
}

/** How the dimensions of an image become those of a convolution. */
class Axes {
  /** 1 where a batch of one is put before all, else 0. */
  readonly before: number;
  /** Windows of the spatial dimensions. */
  readonly windows: readonly Window[];
  private readonly kernelOrder: readonly number[];

  constructor(site: Site, windows: Windows) {
    const { shape } = site.inputs[0];
    this.before = windows[shape[0].name] || shape.length === 1 ? 1 : 0;
    const space = shape.slice(1 - this.before, -1);
    this.windows = windowsOf(space, windows);
    // The kernel's own order, then what has no window.
    const named = Object.keys(windows).map((name) => space.findIndex((dim) => dim.name === name));
    this.kernelOrder = [...space.keys()].filter((i) => !named.includes(i)).concat(named);
  }

  get space(): string[] {
    return this.windows.map((_, i) => String(i));
  }

  /** An image with the dimensions of a convolution. */
  image(w: Writer, x: Tensor): Tensor {
    return w.reshape(x, this.sizes(x.sizes));
  }

  /** Sizes of an image in a convolution. */
  sizes(image: readonly number[]): number[] {
    return this.before === 0 ? [...image] : [1, ...image];
  }

  /** Of numbers of the image's dimensions those of space. */
  ofSpace<T>(items: readonly T[]): T[] {
    return items.slice(1 - this.before, -1);
  }

  /** Zeros around the image along the spatial dimensions; there are none along the others. */
  padding(low: readonly number[], high: readonly number[]): (readonly [number, number])[] {
    const after = this.ofSpace(high);
    return this.ofSpace(low).map((before, i) => [before, after[i]]);
  }

  /** Labels of a kernel's dimensions, of which those without a window come first and hold one element. */
  kernelLabels(input: string, output: string): string[] {
    return [...this.kernelOrder.map(String), input, output];
  }

  kernel(w: Writer, weight: Tensor): Tensor {
    return w.reshape(weight, [...this.windows.slice(weight.sizes.length - 2).map(() => 1), ...weight.sizes]);
  }

  /** Numbers of the kernel's spatial sizes, in its order. */
  kernelSizes(): number[] {
    return this.kernelOrder.map((i) => this.windows[i].kernel);
  }
}

const ones = (windows: readonly Window[]): number[] => windows.map(() => 1);

/** A frame with another range along its last dimension. */
const withLast = (frame: Frame, starts: readonly number[], size: number): Frame => ({
  starts: frame.starts.map((start, rank) => [...start.slice(0, -1), starts[rank]]),
  sizes: [...frame.sizes.slice(0, -1), size],
});
const lastStarts = ({ starts }: Frame): number[] => starts.map((start) => start[start.length - 1]);

/** An image's frame with all of its channels. */
function allChannels(frame: Frame, { shape }: Held): Frame {
  return withLast(
    frame,
    frame.starts.map(() => 0),
    shape[shape.length - 1].size,
  );
}

/** The part of a weight that makes the channels of a frame, which are its dimension `made`; all else of it is whole. */
function weightOf(site: Site, made: number, element: Element): Tensor {
  const { frame, inputs, writer } = site;
  const { shape } = inputs[1];
  const pick = (channel: number, other: (size: number) => number): number[] =>
    shape.map(({ size }, i) => (i === made ? channel : other(size)));
  const starts = lastStarts(frame).map((channel) => pick(channel, () => 0));
  const sizes = pick(frame.sizes[frame.sizes.length - 1], (size) => size);
  return writer.convert(site.input(1, { starts, sizes }, 0), element);
}

/** A convolution whose result has the dimensions of an image. */
function imageOf(site: Site, axes: Axes, made: Tensor): Tensor[] {
  return [site.asOutput(axes.before === 0 ? made : site.writer.reshape(made, site.frame.sizes))];
}

export const conv: Rule<ConvAttrs> = (site) => {
  const { attrs, frame, inputs, shape, writer: w } = site;
  const axes = new Axes(site, attrs.window);
  const [factors, element] = multiplied(site);
  const read = allChannels(readDown(frame, windowsOf(shape, attrs.window)), inputs[0]);
  const { tensor, low, high } = site.openInput(0, read, 0);
  const x = axes.image(w, w.convert(tensor, factors));
  const weight = axes.kernel(w, weightOf(site, inputs[1].shape.length - 1, factors));
  const image = ['b', ...axes.space, 'f'];
  const about: Convolution = {
    labels: [image, axes.kernelLabels('i', 'o'), image],
    strides: axes.windows.map(({ stride }) => stride),
    padding: axes.padding(low, high),
    spread: ones(axes.windows),
    dilation: axes.windows.map(({ dilation }) => dilation),
  };
  return imageOf(site, axes, w.convolution(x, weight, about, element, axes.sizes(frame.sizes)));
};

export const convTranspose: Rule<ConvTransposeAttrs> = (site) => {
  const { attrs, frame, frames, inputs, reads, shape, writer: w } = site;
  const axes = new Axes(site, attrs.window);
  const [factors, element] = multiplied(site);
  const read = readUp(
    frames,
    inputs[0],
    reads[0],
    allChannels(frame, inputs[0]),
    windowsOf(shape, attrs.window),
  );
  const x = axes.image(w, w.convert(read.tensor, factors));
  const weight = weightOf(site, inputs[1].shape.length - 2, factors);
  const turned = w.reverse(weight, [...weight.sizes.keys()].slice(0, -2));
  const image = ['b', ...axes.space, 'f'];
  const about: Convolution = {
    labels: [image, axes.kernelLabels('o', 'i'), image],
    strides: ones(axes.windows),
    padding: axes.padding(read.low, read.high),
    spread: axes.ofSpace(read.strides),
    dilation: axes.windows.map(({ dilation }) => dilation),
  };
  return imageOf(
    site,
    axes,
    w.convolution(x, axes.kernel(w, turned), about, element, axes.sizes(frame.sizes)),
  );
};

export const convWeightGrad: Rule<ConvWeightGradAttrs> = (site) => {
  const { attrs, frame, inputs, reads, writer: w } = site;
  const axes = new Axes(site, attrs.window);
  const [factors, element] = multiplied(site);
  const channel = (i: number): number[] => frame.starts.map((start) => start[i]);
  const [into, out] = [frame.sizes.length - 2, frame.sizes.length - 1];
  const own = withLast(frameOf(reads[1]), channel(out), frame.sizes[out]);
  const read = withLast(
    readDown(own, windowsOf(inputs[0].shape, attrs.window)),
    channel(into),
    frame.sizes[into],
  );
  const { tensor, low, high } = site.openInput(0, read, 0);
  const x = axes.image(w, w.convert(tensor, factors));
  const y = axes.image(w, w.convert(site.input(1, own, 0), factors));
  const about: Convolution = {
    labels: [['f', ...axes.space, 'b'], ['i', ...axes.space, 'o'], axes.kernelLabels('b', 'f')],
    strides: axes.windows.map(({ dilation }) => dilation),
    padding: axes.padding(low, high),
    spread: ones(axes.windows),
    dilation: axes.windows.map(({ stride }) => stride),
  };
  const sizes = [...axes.kernelSizes(), frame.sizes[into], frame.sizes[out]];
  return [site.asOutput(w.reshape(w.convolution(x, y, about, element, sizes), frame.sizes))];
};
