import { hash32, rowMajorStrides, volume } from '../../core/index.ts';
import type { RandomAttrs } from '../../ops/index.ts';
import type { Element, Tensor } from '../types.ts';
import type { Writer } from '../writer.ts';
import type { Rule, Site } from './site.ts';

// Random numbers by the counter-based generator of core/random.ts, in whole numbers of 32 bits that wrap around: the same bits
// everywhere. Masks and uniform numbers are those of all devices; normal ones take the logarithm and cosine of the device.

const SECOND_DRAW = 0x6a09e667;

/** x ^= x >> 16; x *= 0x21f0aaad; x ^= x >> 15; x *= 0xd35a2d97; x ^= x >> 15 */
function mix(w: Writer, x: Tensor): Tensor {
  const stirred = (y: Tensor, by: number): Tensor => w.binary('xor', y, w.with('shift_right_logical', y, by));
  const once = w.with('multiply', stirred(x, 16), 0x21f0aaad);
  return stirred(w.with('multiply', stirred(once, 15), 0xd35a2d97), 15);
}

/** Row-major index of each element in the whole tensor, in parts of 32 bits: the lower one, and the upper where there is one. */
function indices({ frame, frames, shape, writer: w }: Site<RandomAttrs>): [low: Tensor, high?: Tensor] {
  const wide = volume(shape) > 2 ** 32;
  const element: Element = wide ? 'u64' : 'u32';
  const strides = rowMajorStrides(shape.map(({ size }) => size));
  const parts = shape.map((_, i) => {
    const along = w.convert(frames.coordinates(frame, i, [frame.sizes[i]], 0), element);
    return w.broadcast(w.with('multiply', along, strides[i]), frame.sizes, [i]);
  });
  const first = parts[0] ?? w.constant(element, 0);
  const index = parts.slice(1).reduce((sum, part) => w.binary('add', sum, part), first);
  if (!wide) return [index];
  const low = w.convert(w.with('and', index, 0xffffffff), 'u32');
  return [low, w.convert(w.with('shift_right_logical', index, 32), 'u32')];
}

/** mix(key0 ^ mix(upper half of the index + 0x9e3779b9)) */
function upperKey(w: Writer, key0: number, sizes: readonly number[], high?: Tensor): Tensor {
  if (high === undefined) return w.constant('u32', hash32((key0 ^ hash32(0x9e3779b9)) >>> 0), sizes);
  return mix(w, w.with('xor', mix(w, w.with('add', high, 0x9e3779b9)), key0));
}

/** mix(key1 ^ mix(step + 0x85ebca6b)), everywhere. */
function stepKey(w: Writer, key1: number, sizes: readonly number[], step?: Tensor): Tensor {
  if (step === undefined) return w.constant('u32', hash32((key1 ^ hash32(0x85ebca6b)) >>> 0), sizes);
  const mixed = mix(w, w.with('add', w.convert(step, 'u32'), 0x85ebca6b));
  return w.broadcast(mix(w, w.with('xor', mixed, key1)), sizes, []);
}

/** 24 random bits of each element. */
function draws(site: Site<RandomAttrs>, key1: number): Tensor {
  const { attrs, frame, inputs, writer: w } = site;
  const [low, high] = indices(site);
  const a = upperKey(w, attrs.seed, frame.sizes, high);
  const step =
    inputs.length === 0 ? undefined : site.input(0, { starts: frame.starts.map(() => []), sizes: [] });
  const b = stepKey(w, key1, frame.sizes, step);
  const bits = mix(w, w.binary('add', mix(w, w.binary('xor', low, a)), b));
  return w.with('shift_right_logical', bits, 8);
}

export const random: Rule<RandomAttrs> = (site) => {
  const { attrs, writer: w } = site;
  const first = draws(site, attrs.stream);
  switch (attrs.distribution) {
    case 'bernoulli': {
      // n / 2^24 < keep, where n is a whole number.
      const limit = w.constant('u32', Math.ceil(attrs.keep! * 2 ** 24), first.sizes);
      return [site.asOutput(w.compare('LT', first, limit))];
    }
    case 'uniform':
      return [site.asOutput(w.with('multiply', w.convert(first, 'f32'), 2 ** -24))];
    case 'normal': {
      // sqrt(-2 log u1) cos(2 pi u2), u1 in (0, 1].
      const second = draws(site, (attrs.stream ^ SECOND_DRAW) >>> 0);
      const u1 = w.with('multiply', w.with('add', w.convert(first, w.wide), 1), 2 ** -24);
      const radius = w.unary('sqrt', w.with('multiply', w.unary('log', u1), -2));
      const angle = w.with('multiply', w.convert(second, w.wide), 2 * Math.PI * 2 ** -24);
      return [site.asOutput(w.binary('multiply', radius, w.unary('cosine', angle)))];
    }
    default:
      return attrs.distribution satisfies never;
  }
};
