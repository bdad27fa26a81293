import { forEachIndex, reach, type Shape, type Window } from '../../core/index.ts';
import type { AvgPoolAttrs, AvgPoolGradAttrs, MaxPoolAttrs } from '../../ops/index.ts';
import type { Frame, Held } from '../frames.ts';
import type { Tensor } from '../types.ts';
import type { WindowAxes } from '../writer.ts';
import type { Rule, Site } from './site.ts';
import { boxOf, readDown, readUp, windowsOf } from './windows.ts';

// Pooling and its gradients. What lies outside of the volume is the least number for the largest, and 0 for a mean.

const axesOf = (windows: readonly Window[], transposed = false): WindowAxes => ({
  sizes: windows.map(({ kernel }) => kernel),
  strides: windows.map(({ stride }) => (transposed ? 1 : stride)),
  dilations: windows.map(({ dilation }) => dilation),
});

const LEAST = Number.NEGATIVE_INFINITY;

export const maxPool: Rule<MaxPoolAttrs> = (site) => {
  const windows = windowsOf(site.shape, site.attrs.window);
  const x = site.openInput(0, readDown(site.frame, windows), LEAST);
  return [site.asOutput(site.writer.reduceWindow(x, 'maximum', LEAST, axesOf(windows)))];
};

/**
 * Each output's gradient goes to the first of its window's largest inputs, in row-major order: for every tap k the gradients of the
 * outputs whose largest it is, at the inputs p * stride - padLow + dilation * k.
 */
export const maxPoolGrad: Rule<MaxPoolAttrs> = (site) => {
  const { attrs, frame, frames, inputs, loops, shape, writer: w } = site;
  const windows = windowsOf(shape, attrs.window);
  const outputs = outputsOver(frame, windows);
  const read = readDown(outputs, windows);
  const x = w.convert(site.input(0, read, LEAST), site.arithmetic);
  const dy = w.convert(site.input(1, outputs, 0), site.arithmetic);
  const taps: number[][] = [];
  forEachIndex(
    windows.map(({ kernel }) => ({ start: 0, end: kernel })),
    (tap) => taps.push([...tap]),
  );
  const at = taps.map((tap) => tapOf(site, x, windows, outputs.sizes, tap));
  const largest = at.slice(1).reduce((most, next) => w.binary('maximum', most, next), at[0]);
  let free = w.constant('i1', 1, outputs.sizes);
  const zero = w.constant(dy.element, 0, outputs.sizes);
  const parts = taps.map((tap, k) => {
    const won = w.binary('and', free, w.compare('EQ', at[k], largest));
    if (k + 1 < taps.length) free = w.binary('and', free, w.unary('not', won));
    const low = tap.map((n, i) => n * windows[i].dilation);
    const between = windows.map(({ stride }) => stride - 1);
    const span = outputs.sizes.map((n, i) => (n - 1) * windows[i].stride + 1);
    const high = read.sizes.map((size, i) => size - low[i] - span[i]);
    return w.pad(w.select(won, dy, zero), 0, low, high, between);
  });
  const sum = parts.slice(1).reduce((total, part) => w.binary('add', total, part), parts[0]);
  const all: Held = { ...inputs[0], tensor: sum, ...read, boxes: boxOf(read), outside: 0 };
  return [site.asOutput(frames.fetch(all, { frame, boxes: loops }))];
};

/** The outputs whose windows meet a frame of inputs. */
function outputsOver(frame: Frame, windows: readonly Window[]): Frame {
  const starts = frame.starts.map((start) =>
    start.map((at, i) => Math.ceil((at + windows[i].padLow - reach(windows[i]) + 1) / windows[i].stride)),
  );
  const sizes = frame.sizes.map((size, i) => {
    const last = (at: number): number => Math.floor((at + size - 1 + windows[i].padLow) / windows[i].stride);
    return Math.max(...starts.map((first, rank) => last(frame.starts[rank][i]) - first[i] + 1));
  });
  return { starts, sizes };
}

/** The inputs that a tap of every output's window reads. */
function tapOf(
  { writer }: Site<MaxPoolAttrs>,
  x: Tensor,
  windows: readonly Window[],
  outputs: readonly number[],
  tap: readonly number[],
): Tensor {
  const from = tap.map((n, i) => n * windows[i].dilation);
  const steps = windows.map(({ stride }) => stride);
  const to = from.map((at, i) => at + (outputs[i] - 1) * steps[i] + 1);
  return writer.slice(x, from, to, steps);
}

/** 1 / divisor of each output's mean over a frame of outputs; `shape`: that of the inputs. */
function shares(site: Site<AvgPoolAttrs>, shape: Shape, out: Held, like: Tensor): Tensor {
  const { attrs, frames, writer: w } = site;
  const windows = windowsOf(shape, attrs.window);
  const taps = windows.reduce((n, { kernel }) => n * kernel, 1);
  if (attrs.countPadding) return w.constant(like.element, 1 / taps, like.sizes);
  return windows
    .map((window, i) => {
      if (window.kernel === 1) return undefined;
      const counts = Array.from(
        { length: out.shape[i].size },
        (_, o) => 1 / inside(window, o, shape[i].size),
      );
      const whole: Held = {
        ...out,
        tensor: w.table(like.element, [counts.length], counts),
        starts: out.starts.map(() => [0]),
        sizes: [counts.length],
        boxes: out.starts.map(() => [{ start: 0, end: counts.length }]),
        outside: 'anything',
      };
      const along = frames.fetch(whole, {
        frame: { starts: out.starts.map((start) => [start[i]]), sizes: [out.sizes[i]] },
        boxes: out.boxes.map((box) => [box[i]]),
        fill: 0,
      });
      return w.broadcast(along, like.sizes, [i]);
    })
    .filter((part) => part !== undefined)
    .reduce((product, part) => w.binary('multiply', product, part), w.constant(like.element, 1, like.sizes));
}

/** Taps of output o that lie inside of the volume. */
function inside({ kernel, stride, dilation, padLow }: Window, o: number, size: number): number {
  let count = 0;
  for (let k = 0; k < kernel; k++) {
    const at = o * stride - padLow + dilation * k;
    if (at >= 0 && at < size) count++;
  }
  return count;
}

export const avgPool: Rule<AvgPoolAttrs> = (site) => {
  const { attrs, frame, inputs, loops, shape, writer: w } = site;
  const windows = windowsOf(shape, attrs.window);
  const read = site.openInput(0, readDown(frame, windows), 0);
  const x = w.convert(read.tensor, site.arithmetic);
  const sum = w.reduceWindow({ ...read, tensor: x }, 'add', 0, axesOf(windows));
  const out: Held = { ...inputs[0], tensor: sum, shape, ...frame, boxes: loops, outside: 'anything' };
  return [site.asOutput(w.binary('multiply', sum, shares(site, inputs[0].shape, out, sum)))];
};

export const avgPoolGrad: Rule<AvgPoolGradAttrs> = (site) => {
  const { attrs, frame, frames, inputs, reads, shape, writer: w } = site;
  const windows = windowsOf(shape, attrs.window);
  const dy = { ...inputs[0], tensor: w.convert(inputs[0].tensor, site.arithmetic) };
  const share = w.binary('multiply', dy.tensor, shares(site, shape, dy, dy.tensor));
  const outside = Object.is(dy.outside, 0) ? 0 : 'anything';
  const read = readUp(frames, { ...dy, tensor: share, outside }, reads[0], frame, windows);
  const between = read.strides.map((n) => n - 1);
  const spread = w.pad(read.tensor, 0, read.low, read.high, between);
  const none = between.map(() => 0);
  const sums = w.reduceWindow({ tensor: spread, low: none, high: none }, 'add', 0, axesOf(windows, true));
  return [site.asOutput(sums)];
};
