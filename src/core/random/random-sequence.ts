import { hash32 } from '../random.ts';

/**
 * Sequences of random numbers by a key, for images and samples: phantoms, augmentation, patches. Each number is a hash of the key
 * and its index, so any of them can be had at any time and in any order. Initial weights and dropout, which devices compute too,
 * are drawn as random.ts says. The mixing function is lowbias32 (Chris Wellons, hash-prospector).
 */
const mix = (value: number): number => hash32(value, 0x735a2d97);

/** A key from whole numbers, such as (seed, case, step); other numbers or another order give another key. */
export function randomKey(...parts: readonly number[]): number {
  let key = 0x9e3779b9;
  for (const part of parts) key = mix(key + mix(part) + mix(Math.floor(part / 2 ** 32)));
  return key;
}

/** The uniform number above 0 and below 1 at an index (0 to 2^32 - 1) of a key's sequence. */
export function uniformAt(key: number, index: number): number {
  return (mix(mix(index ^ key) + key) + 0.5) / 2 ** 32;
}

/**
 * Fills `out` with normal numbers of mean 0 and the given deviation (Box-Muller, two uniforms a pair): the part of the key's
 * sequence that begins at `from`, an even number.
 */
export function fillNormalPairs(out: Float32Array, key: number, deviation: number, from = 0): void {
  for (let n = 0; n < out.length; n += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(uniformAt(key, from + n)));
    const angle = 2 * Math.PI * uniformAt(key, from + n + 1);
    out[n] = radius * Math.cos(angle);
    if (n + 1 < out.length) out[n + 1] = radius * Math.sin(angle);
  }
}

/** Draws one number after the other from a key's sequence. */
export class RandomStream {
  readonly #key: number;
  #index = 0;

  constructor(...parts: readonly number[]) {
    this.#key = randomKey(...parts);
  }

  /** Uniform above 0 and below 1. */
  uniform(): number {
    return uniformAt(this.#key, this.#index++);
  }

  /** Uniform between two numbers. */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Normal with mean 0 and deviation 1. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Normal with mean 0 and deviation 1, drawn again until it lies within 2. */
  truncatedNormal(): number {
    for (;;) {
      const value = this.normal();
      if (Math.abs(value) <= 2) return value;
    }
  }
}
