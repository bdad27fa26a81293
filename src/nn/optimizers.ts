import { dimIndex, fail, type Shape, type Value } from '../core/index.ts';
import {
  add,
  castTo,
  constant,
  div,
  maximum,
  minimum,
  mul,
  pow,
  reduceMean,
  reduceSum,
  rsqrt,
  sqrt,
  square,
  sub,
} from '../ops/index.ts';
import { averageWeights } from './average.ts';
import type { Context, Parameter } from './context.ts';

// Optimizers as ordinary operations on variables: what they keep from step to step are variables named after the parameter
// (`down0/conv0/weight/adam/m`), so they are split, saved and resumed like everything else. Scalars are worked out in float64
// and cast once; weights and slots are float32.

export interface Sgd {
  readonly kind: 'sgd';
  readonly momentum?: number;
  readonly nesterov?: boolean;
  /** Added to the gradient: weightDecay * weight. Weights of two or more dimensions only. */
  readonly weightDecay?: number;
}

export interface Adam {
  readonly kind: 'adam';
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Decoupled (AdamW): weight -= rate * weightDecay * weight. Weights of two or more dimensions only. */
  readonly weightDecay?: number;
}

export interface Adafactor {
  readonly kind: 'adafactor';
  /** Factor the second moments over the two largest dimensions if both are at least this; null never factors. */
  readonly factorFrom?: number | null;
  /** Second moments decay by 1 - t^-decay. */
  readonly decay?: number;
  /** Largest root mean square of an update, before the rate; null does not clip. */
  readonly clip?: number | null;
  /** Multiply the rate by the root mean square of the parameter (at least `epsilon2`). */
  readonly parameterScale?: boolean;
  readonly epsilon1?: number;
  readonly epsilon2?: number;
}

export type OptimizerConfig = (Sgd | Adam | Adafactor) & {
  /** Scale all gradients down so that their joint Euclidean norm is at most this. */
  readonly clipNorm?: number;
};

/** The published code's optimizer: Adafactor with parameter scale and clipping at 1. */
export const HOU2019_OPTIMIZER: OptimizerConfig = { kind: 'adafactor' };

/** Makes the new value of one parameter; asks the context for updates of its slots. */
type Rule = (parameter: Parameter, grad: Value) => Value;

/** What a step may do beside the optimizer's rule. */
export interface OptimizerExtras {
  /** Decay of running averages of the parameters; none are kept where absent. */
  readonly average?: number;
  /** What the learning rate of a parameter is multiplied by. */
  readonly factors?: (name: string) => number;
}

/**
 * Updates every parameter by its gradient and ends the step: returns the assignments of parameters, slots and whatever else the
 * context was asked to update (moving statistics). `learningRate` is a scalar; the step number comes from the context.
 */
export function applyOptimizer(
  ctx: Context,
  optimizer: OptimizerConfig,
  parameters: readonly Parameter[],
  grads: readonly (Value | undefined)[],
  learningRate: Value,
  { average, factors = () => 1 }: OptimizerExtras = {},
): Value[] {
  const rate = castTo(learningRate, 'f64');
  return ctx.graph.scope('optimizer', () => {
    const given = parameters.map(({ name }, i) => {
      const grad = grads[i];
      if (grad === undefined)
        return fail({
          where: 'optimizer',
          problem: `the loss does not depend on parameter "${name}"`,
          hint: 'Make it not trainable, or use it',
        });
      return castTo(grad, 'f32');
    });
    const clipped = optimizer.clipNorm === undefined ? given : clipByNorm(given, optimizer.clipNorm);
    const rules = new Map<number, Rule>();
    const ruleFor = (name: string): Rule => {
      const factor = factors(name);
      const rule =
        rules.get(factor) ?? ruleOf(ctx, optimizer, factor === 1 ? rate : mul(rate, number(rate, factor)));
      rules.set(factor, rule);
      return rule;
    };
    for (const [i, parameter] of parameters.entries()) {
      const rule = ruleFor(parameter.name);
      ctx.graph.scope(parameter.name, () => ctx.update(parameter.value, rule(parameter, clipped[i])));
    }
    if (average !== undefined) averageWeights(ctx, parameters, average);
    return ctx.assignUpdates();
  });
}

function ruleOf(ctx: Context, optimizer: OptimizerConfig, rate: Value): Rule {
  switch (optimizer.kind) {
    case 'sgd':
      return sgd(ctx, optimizer, rate);
    case 'adam':
      return adam(ctx, optimizer, rate);
    case 'adafactor':
      return adafactor(ctx, optimizer, rate);
    default:
      return optimizer satisfies never;
  }
}

const number = (like: Value, value: number): Value => constant(like.graph, value, [], 'f64');
/** A float32 tensor times a number. */
const times = (x: Value, value: number): Value => mul(x, constant(x.graph, value, [], 'f32'));
/** A float32 tensor times a float64 scalar. */
const scaled = (x: Value, by: Value): Value => mul(x, castTo(by, 'f32'));
const names = (x: Value): string[] => x.shape.map((dim) => dim.name);
const decays = (parameter: Parameter): boolean => parameter.value.shape.length >= 2;

/** A slot of a parameter that begins as zeros. */
function slot(ctx: Context, parameter: Parameter, name: string, shape: Shape = parameter.value.shape): Value {
  return ctx.variableAt(`${parameter.name}/${name}`, shape, { kind: 'constant', value: 0 }, false);
}

/** Joint norm of all gradients: sqrt(sum of squares), float64. */
export function globalNorm(grads: readonly Value[]): Value {
  return sqrt(grads.map((grad) => reduceSum(square(grad), names(grad), 'f64')).reduce((a, b) => add(a, b)));
}

/** g * min(1, limit / norm). */
function clipByNorm(grads: readonly Value[], limit: number): Value[] {
  if (!(limit > 0))
    fail({ where: 'optimizer', problem: 'clipNorm', expected: 'a number above 0', found: String(limit) });
  const norm = globalNorm(grads);
  const by = minimum(number(norm, 1), div(number(norm, limit), maximum(norm, number(norm, 1e-30))));
  return grads.map((grad) => scaled(grad, by));
}

/** m = momentum * m + g;  w -= rate * m, or rate * (g + momentum * m) after Nesterov. */
function sgd(ctx: Context, { momentum = 0, nesterov = false, weightDecay = 0 }: Sgd, rate: Value): Rule {
  return (parameter, given) => {
    const w = parameter.value;
    const grad = weightDecay !== 0 && decays(parameter) ? add(given, times(w, weightDecay)) : given;
    let direction = grad;
    if (momentum !== 0) {
      const m = slot(ctx, parameter, 'sgd/m');
      const next = add(times(m, momentum), grad);
      ctx.update(m, next);
      direction = nesterov ? add(grad, times(next, momentum)) : next;
    }
    return sub(w, scaled(direction, rate));
  };
}

/**
 * Kingma & Ba 2015: m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  with t counted from 1
 * w -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon).
 * Decoupled decay after Loshchilov & Hutter 2019.
 */
function adam(ctx: Context, options: Adam, rate: Value): Rule {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  const t = stepsDone(ctx);
  const missing = (beta: number): Value => sub(number(t, 1), pow(number(t, beta), t));
  const size = div(rate, missing(beta1));
  const unbias = rsqrt(missing(beta2));
  return (parameter, grad) => {
    const m = slot(ctx, parameter, 'adam/m');
    const v = slot(ctx, parameter, 'adam/v');
    const nextM = add(times(m, beta1), times(grad, 1 - beta1));
    const nextV = add(times(v, beta2), times(square(grad), 1 - beta2));
    ctx.update(m, nextM);
    ctx.update(v, nextV);
    const spread = add(scaled(sqrt(nextV), unbias), constant(ctx.graph, epsilon));
    const w = parameter.value;
    const moved = sub(w, scaled(div(nextM, spread), size));
    return weightDecay !== 0 && decays(parameter)
      ? sub(moved, scaled(w, mul(rate, number(rate, weightDecay))))
      : moved;
  };
}

/**
 * Shazeer & Stern 2018, without first moments: with t counted from 1 and b = 1 - t^-decay
 *   v = b v + (1 - b)(g^2 + epsilon1), held as its means over the largest (rows) and second largest (columns) dimension
 *   for big weights: v ~ rows * columns / mean(rows);   u = g / sqrt(v);   u /= max(1, rms(u) / clip);
 *   w -= rate * max(epsilon2, rms(w)) * u.
 */
function adafactor(ctx: Context, options: Adafactor, rate: Value): Rule {
  const { decay = 0.8, clip = 1, parameterScale = true, epsilon1 = 1e-30, epsilon2 = 1e-3 } = options;
  const t = stepsDone(ctx);
  const fresh = pow(t, number(t, -decay));
  const kept = sub(number(t, 1), fresh);
  const blend = (old: Value, now: Value): Value => {
    const next = add(scaled(old, kept), scaled(now, fresh));
    ctx.update(old, next);
    return next;
  };
  return (parameter, grad) => {
    const w = parameter.value;
    const power = add(square(grad), constant(ctx.graph, epsilon1));
    const factored = factoredDims(w.shape, options.factorFrom);
    let u: Value;
    if (factored) {
      const [largest, second] = factored;
      const without = (name: string): Shape => w.shape.filter((dim) => dim.name !== name);
      const rows = blend(
        slot(ctx, parameter, 'adafactor/vr', without(largest)),
        reduceMean(power, [largest]),
      );
      const columns = blend(
        slot(ctx, parameter, 'adafactor/vc', without(second)),
        reduceMean(power, [second]),
      );
      const mean = reduceMean(rows, [second]);
      u = mul(mul(grad, rsqrt(div(rows, mean))), rsqrt(columns));
    } else {
      u = mul(grad, rsqrt(blend(slot(ctx, parameter, 'adafactor/v'), power)));
    }
    let size = rate;
    if (parameterScale) size = mul(size, maximum(rms(w), number(rate, epsilon2)));
    if (clip !== null) size = div(size, maximum(number(rate, 1), mul(rms(u), number(rate, 1 / clip))));
    return sub(w, scaled(u, size));
  };
}

/** The two largest dimensions by name, largest first (the earlier one on a tie), if both are at least `from`. */
export function factoredDims(shape: Shape, from: number | null = 128): readonly [string, string] | undefined {
  if (from === null || shape.length < 2) return undefined;
  const [first, second] = [...shape].sort(
    (a, b) => b.size - a.size || dimIndex(shape, a.name) - dimIndex(shape, b.name),
  );
  return second.size >= from ? [first.name, second.name] : undefined;
}

/** Root mean square over all elements, float64. */
const rms = (x: Value): Value => sqrt(reduceMean(square(x), names(x), 'f64'));

/** Steps after this one, as float64: 1 in the first step. */
function stepsDone(ctx: Context): Value {
  return add(castTo(ctx.step, 'f64'), constant(ctx.graph, 1, [], 'f64'));
}
