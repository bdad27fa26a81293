import { cosOfDraw, logOfDraw } from './random/box-muller.ts';

/**
 * Counter-based random numbers: a draw depends on two keys, the step and the element's global index, on nothing else. So it is
 * the same on any mesh and can be drawn again in the backward pass. `native/rows/random.h` is its twin.
 *
 *   mix(x)  x ^= x >> 16; x *= 0x21f0aaad; x ^= x >> 15; x *= 0xd35a2d97; x ^= x >> 15        (uint32, wraps around)
 *   a = mix(key0 ^ mix(hi32(index) + 0x9e3779b9))      b = mix(key1 ^ mix(step + 0x85ebca6b))
 *   bits(key0, key1, step, index) = mix(mix(lo32(index) ^ a) + b)
 */
const mix = (value: number): number => hash32(value);

/**
 * A 32-bit hash of 32 bits: mix above, unless `factor` is another one. The sequences of random/random-sequence.ts have their own, so their
 * numbers are not among these.
 */
export function hash32(value: number, factor = 0xd35a2d97): number {
  let x = value ^ (value >>> 16);
  x = Math.imul(x, 0x21f0aaad);
  x ^= x >>> 15;
  x = Math.imul(x, factor);
  return (x ^ (x >>> 15)) >>> 0;
}

const SECOND_DRAW = 0x6a09e667;
const UNIT = 2 ** -24;

/** 32 random bits. Keys and step are taken modulo 2^32; `index` is a whole number below 2^53. */
export function randomBits(key0: number, key1: number, step: number, index: number): number {
  const a = mix((key0 ^ mix((Math.floor(index / 2 ** 32) + 0x9e3779b9) | 0)) >>> 0);
  const b = mix((key1 ^ mix((step + 0x85ebca6b) | 0)) >>> 0);
  return mix((mix(((index >>> 0) ^ a) >>> 0) + b) | 0);
}

/** Uniform in [0, 1), a multiple of 2^-24. */
export function uniform(key0: number, key1: number, step: number, index: number): number {
  return (randomBits(key0, key1, step, index) >>> 8) * UNIT;
}

/** Standard normal by Box and Muller: sqrt(-2 log u1) cos(2 pi u2), u1 in (0, 1], u2 from a second draw, as random/box-muller.ts rounds them. */
export function normal(key0: number, key1: number, step: number, index: number): number {
  const radius = Math.sqrt(-2 * logOfDraw((randomBits(key0, key1, step, index) >>> 8) + 1));
  return radius * cosOfDraw(randomBits(key0, key1 ^ SECOND_DRAW, step, index) >>> 8);
}

/** Numbers of {@link normal} of step 0 times `deviation`, for consecutive indices from `first` on. */
export interface NormalDraws {
  readonly key0: number;
  readonly key1: number;
  readonly first: number;
  readonly deviation: number;
}

/** Numbers that are drawn together: those of the first pass are in the processor's cache in the second. */
const TOGETHER = 1024;

/** Fills `out` with draws; nothing is allocated. `hm_fill_normal` is its twin. */
export function fillNormal(out: Float64Array, { key0, key1, first, deviation }: NormalDraws): void {
  const b = mix((key1 ^ mix(0x85ebca6b)) >>> 0) | 0;
  const angle = mix((key1 ^ SECOND_DRAW ^ mix(0x85ebca6b)) >>> 0) | 0;
  for (let from = 0, to: number; from < out.length; from = to) {
    // Indices that share their upper 32 bits.
    const upper = Math.floor((first + from) / 2 ** 32);
    to = Math.min(out.length, from + TOGETHER, (upper + 1) * 2 ** 32 - first);
    const a = mix((key0 ^ mix((upper + 0x9e3779b9) | 0)) >>> 0) | 0;
    const lower = ((first + from) % 2 ** 32) | 0;
    for (let i = from; i < to; i++)
      out[i] = Math.sqrt(-2 * logOfDraw((mix((mix((lower + (i - from)) ^ a) + b) | 0) >>> 8) + 1));
    for (let i = from; i < to; i++)
      out[i] = deviation * (out[i] * cosOfDraw(mix((mix((lower + (i - from)) ^ a) + angle) | 0) >>> 8));
  }
}
