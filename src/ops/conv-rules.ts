import {
  type Box,
  boxVolume,
  type Call,
  type Cost,
  type cutsDown,
  dimIndex,
  fail,
  forEachIndex,
  groupReads,
  type Loop,
  range,
  type Shape,
  showShape,
  type TensorType,
  type Window,
  type windowReads,
} from '../core/index.ts';

// Shapes, loops and read rules that convolution and its two transposes share.

/** Spatial axes in order, by name, with their windows. */
export type Windows = Readonly<Record<string, Window>>;

/** `channel`: name of the output's channel dimension; that of the weight unless given. */
export type ConvAttrs = { readonly window: Windows; readonly channel?: string };
/** Refuses inputs that are no image and weight of a convolution. `channelAt` is the weight dimension that x's channels meet. */
export function checkImage(
  x: TensorType,
  weight: Shape,
  window: Windows,
  meets: number,
  where: string,
): void {
  const axes = Object.keys(window);
  for (const axis of axes)
    if (dimIndex(x.shape, axis) < 0 || dimIndex(x.shape, axis) === x.shape.length - 1)
      fail({
        where,
        problem: `no spatial dimension "${axis}" in the input`,
        found: showShape(x.shape),
        hint: 'The last dimension is the channel',
      });
  if (weight.length !== axes.length + 2)
    fail({
      where,
      problem: 'the weight has the wrong number of dimensions',
      expected: `[${axes.map((axis) => `kernel of ${axis}`).join(' ')} in out]`,
      found: showShape(weight),
    });
  axes.forEach((axis, i) => {
    if (weight[i].size !== window[axis].kernel)
      fail({
        where,
        problem: `kernel size along "${axis}"`,
        expected: String(window[axis].kernel),
        found: `${weight[i].size} in the weight ${showShape(weight)}`,
      });
  });
  const channel = x.shape[x.shape.length - 1];
  const other = weight[weight.length - 2 + meets];
  if (channel.size !== other.size)
    fail({
      where,
      problem: `channels "${channel.name}" do not match weight dimension "${other.name}"`,
      expected: String(other.size),
      found: String(channel.size),
    });
}

/** Batch and spatial dimensions of an image-like output, with sizes mapped by `size`. */
export function imageShape(
  x: Shape,
  channel: Shape[number],
  size: (axis: string, input: number) => number,
): Shape {
  return [...x.slice(0, -1).map((dim) => ({ name: dim.name, size: size(dim.name, dim.size) })), channel];
}

/** Loops: output dimensions (windows over space), then the contracted channel. */
export function imageLoops(call: Call<ConvAttrs>, cuts: typeof cutsDown): Loop[] {
  const [x] = call.inputs;
  const y = call.outputs[0].shape;
  const loops = y.map((dim, i): Loop => {
    const window = call.attrs.window[dim.name];
    if (!window || i === y.length - 1) return { dim: dim.name, size: dim.size, split: 'pass' };
    const from = x.shape[i].size;
    return {
      dim: dim.name,
      size: dim.size,
      split: 'window',
      follows: window.stride === 1 ? undefined : { size: from, cuts: (c) => cuts(window, c, dim.size) },
    };
  });
  const channel = x.shape[x.shape.length - 1];
  // Not `sum`: partial sums of ranks would round otherwise than one sum does. Split channels are gathered instead.
  return [...loops, { dim: channel.name, size: channel.size, split: 'whole' }];
}

/** Whether windows leave all axes alone but the last two, along which they are of three successive elements: 1x3x3. */
export function overPlanes(image: Shape, window: Windows): boolean {
  const plane = image.slice(-3, -1).map(({ name }) => name);
  if (plane.length < 2 || plane.some((axis) => window[axis] === undefined)) return false;
  return Object.entries(window).every(
    ([axis, { kernel, stride, dilation }]) =>
      stride === 1 && (plane.includes(axis) ? kernel === 3 && dilation === 1 : kernel === 1),
  );
}

/**
 * Boxes read of the image and of the weight. `meets`: 0 where the image's channels are the weight's in, 1 its out. Windows over planes
 * read what groups of outputs do, on all devices and whatever the channels: so a box's outputs have the bits of any other box.
 */
export function imageReads(call: Call<ConvAttrs>, loop: Box, meets: 0 | 1, reads: typeof windowReads): Box[] {
  const [x, weight] = call.inputs;
  const n = x.shape.length;
  const groups = overPlanes(x.shape, call.attrs.window);
  const image = x.shape.map((dim, i) => {
    if (i === n - 1) return loop[n];
    const window = call.attrs.window[dim.name];
    if (groups && window?.kernel === 3)
      return groupReads(meets === 0 ? -window.padLow : window.padLow - 2, loop[i], dim.size);
    return window ? reads(window, loop[i], dim.size) : loop[i];
  });
  const kernel = weight.shape.slice(0, -2).map((dim) => range(0, dim.size));
  return [image, [...kernel, ...(meets === 0 ? [loop[n], loop[n - 1]] : [loop[n - 1], loop[n]])]];
}

/** Two operations per kernel tap of every (output, contracted channel) pair; taps of a transposed window are 1/stride of them. */
export function contractionCost(call: Call<ConvAttrs>, loop: Box, transposed: boolean): Cost {
  const taps = Object.values(call.attrs.window).reduce(
    (product, w) => product * (transposed ? w.kernel / w.stride : w.kernel),
    1,
  );
  return { flops: 2 * taps * boxVolume(loop) };
}

/** Calls `visit(output, input)` for all pairs of an output and an input position that a window joins inside the volume. */
export function forEachTap(
  window: Windows,
  dims: Shape,
  outputs: Box,
  inputSizes: readonly number[],
  visit: (output: readonly number[], input: readonly number[], tap: readonly number[]) => void,
): void {
  const axes = Object.keys(window);
  const at = axes.map((axis) => dimIndex(dims, axis));
  const taps: Box = axes.map((axis) => range(0, window[axis].kernel));
  const input: number[] = [];
  forEachIndex(outputs, (output) => {
    forEachIndex(taps, (tap) => {
      for (let i = 0; i < output.length; i++) input[i] = output[i];
      for (let i = 0; i < axes.length; i++) {
        const w = window[axes[i]];
        input[at[i]] = output[at[i]] * w.stride - w.padLow + w.dilation * tap[i];
        if (input[at[i]] < 0 || input[at[i]] >= inputSizes[at[i]]) return;
      }
      visit(output, input, tap);
    });
  });
}

/** The window of one axis as a model writes it; missing fields are stride 1, dilation 1, no padding. */
export interface WindowOptions {
  readonly stride?: number;
  readonly dilation?: number;
  /** Zeros on both sides, or [before, after]; `same` keeps the size at stride 1 (the extra zero of an even reach comes after). */
  readonly padding?: number | readonly [number, number] | 'same';
}

/** Windows over the axes that `kernel` names. */
export function windows(kernel: Readonly<Record<string, number>>, options: WindowOptions = {}): Windows {
  const { stride = 1, dilation = 1, padding = 0 } = options;
  return Object.fromEntries(
    Object.entries(kernel).map(([axis, size]) => {
      const free = dilation * (size - 1);
      const [padLow, padHigh] =
        padding === 'same'
          ? [Math.floor(free / 2), free - Math.floor(free / 2)]
          : typeof padding === 'number'
            ? [padding, padding]
            : padding;
      return [axis, { kernel: size, stride, dilation, padLow, padHigh }];
    }),
  );
}
