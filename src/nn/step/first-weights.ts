import type { Init } from '../../ops/index.ts';
import type { FirstWeights } from './first-weights-names.ts';

/** Deviation of a standard normal distribution that is cut off at two deviations: it narrows so much. */
const CUT_DEVIATION = 0.8796256610342398;

/**
 * First weights after He et al. 2015: normal, deviation sqrt(2 / ((1 + slope^2) * fanIn)), so that activations keep their
 * variance through a leaky ReLU.
 */
export function heNormal(fanIn: number, slope = 0): Init {
  return { kind: 'normal', deviation: heDeviation(fanIn, slope) };
}

const heDeviation = (fanIn: number, slope: number): number => Math.sqrt(2 / ((1 + slope * slope) * fanIn));

/**
 * First weights by name, for so many inputs and outputs of each element and the slope of the leaky ReLU that follows:
 *
 *   he-normal       He et al. 2015: normal, deviation sqrt(2 / ((1 + slope^2) * fanIn))
 *   he-truncated    the same deviation, of a normal distribution that is cut off at two of its own deviations
 *   xavier-normal   Glorot & Bengio 2010: normal, deviation sqrt(2 / (fanIn + fanOut))
 *   xavier-uniform  the same deviation, even from -sqrt(6 / (fanIn + fanOut)) to that
 */
export function firstWeights(kind: FirstWeights, fanIn: number, fanOut: number, slope = 0): Init {
  switch (kind) {
    case 'he-normal':
      return heNormal(fanIn, slope);
    case 'he-truncated':
      return { kind: 'truncated', deviation: heDeviation(fanIn, slope) / CUT_DEVIATION };
    case 'xavier-normal':
      return { kind: 'normal', deviation: Math.sqrt(2 / (fanIn + fanOut)) };
    case 'xavier-uniform':
      return { kind: 'uniform', bound: Math.sqrt(6 / (fanIn + fanOut)) };
    default:
      return kind satisfies never;
  }
}
