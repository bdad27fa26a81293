import { reverse, type Value } from '../core/index.ts';
import { add, onesLike } from './elementwise.ts';

/** Gradients of a scalar with respect to values of its graph; undefined where it does not depend on one. */
export function gradients(scalar: Value, wrt: readonly Value[]): (Value | undefined)[] {
  return reverse(scalar, wrt, { add, onesLike });
}
