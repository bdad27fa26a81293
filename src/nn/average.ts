import { fail, type Value } from '../core/index.ts';
import { add, castTo, constant, div, minimum, mul, sub } from '../ops/index.ts';
import type { Context, Parameter } from './context.ts';

/** Steps after which the average forgets, at the most, a tenth of what it has seen: 1 / (1 - t / (t + 9)) = (t + 9) / 9. */
const WARM_UP = 9;

/**
 * Running averages of the weights (Polyak & Juditsky 1992), kept in the same step that changes the weights; with t counted
 * from 0
 *
 *   average = d average + (1 - d) weight,   d = min(decay, t / (t + 9))
 *
 * so that the first step sets it, and early weights are soon forgotten. A network in the averages, which a context with
 * `averaged` builds, is what is validated and used: it jumps less from step to step than the one in the weights.
 * Call after all weights have their updates and before these are assigned.
 */
export function averageWeights(ctx: Context, parameters: readonly Parameter[], decay: number): void {
  if (!(decay >= 0 && decay < 1))
    fail({
      where: 'average of the weights',
      problem: 'decay',
      expected: 'from 0 to below 1',
      found: String(decay),
    });
  const number = (value: number): Value => constant(ctx.graph, value, [], 'f64');
  const t = castTo(ctx.step, 'f64');
  const kept = minimum(number(decay), div(t, add(t, number(WARM_UP))));
  const [old, fresh] = [castTo(kept, 'f32'), castTo(sub(number(1), kept), 'f32')];
  for (const { name, value } of parameters) {
    const next = ctx.updates.find(({ variable }) => variable === value)?.value;
    if (next === undefined) {
      fail({ where: 'average of the weights', problem: `weight "${name}" has no update in this step` });
      continue;
    }
    const average = ctx.averageOf(name, value.shape);
    ctx.update(average, add(mul(average, old), mul(next, fresh)));
  }
}
