import { type Dim, dimIndex, fail, type Shape, type Value } from '../core/index.ts';
import {
  add,
  castTo,
  constant,
  maximum,
  mul,
  neg,
  reduceSum,
  rsqrt,
  square,
  sub,
  tableOf,
} from '../ops/index.ts';
import { allButChannel, BATCH, channelOf, countOver } from './axes.ts';
import type { Context } from './context.ts';

// Normalisation over the true extent of a tensor, wherever its parts lie.
//
//   mean = E[x]    var = E[x^2] - E[x]^2    both in float64, from sums over the whole (global) dimensions
//   scale = gamma / sqrt(var + epsilon)    shift = beta - mean * scale    float32, one number per channel (and image)
//   y = x * scale + shift
//
// so that a big tensor meets two reductions, one multiply and one add, which fuse with the kernels beside them. Batch norm
// (Ioffe & Szegedy 2015) takes the mean over batch and space, instance norm (Ulyanov et al. 2016) over space, group norm
// (Wu & He 2018) over space and a group of channels. Layer norm is group norm with one group.

/** Added to the variance where nothing else is said. */
export const NORM_EPSILON = { batch: 1e-6, instance: 1e-5, group: 1e-5 } as const;

export interface NormSettings {
  readonly name?: string;
  /** Added to the variance; by default {@link NORM_EPSILON}. */
  readonly epsilon?: number;
  /** Learn gamma (first 1) and beta (first 0). True by default. */
  readonly affine?: boolean;
}

export interface BatchNormSettings extends NormSettings {
  /** Share of the old moving statistics that each step keeps. */
  readonly momentum?: number;
}

export interface InstanceNormSettings extends NormSettings {
  /** Axes that the statistics run over: those that make an image. All spatial ones by default. */
  readonly over?: readonly string[];
}

export interface GroupNormSettings extends InstanceNormSettings {
  readonly groups: number;
}

/** Mean and (biased) variance, float64. */
interface Moments {
  readonly mean: Value;
  readonly variance: Value;
}

const number = (x: Value, value: number): Value => constant(x.graph, value, [], 'f64');

/** Runs a norm in float32 where x is stored in bfloat16, so that nothing but the result is rounded. */
const inFloat = (x: Value, norm: (x: Value) => Value): Value =>
  x.dtype === 'bf16' ? castTo(norm(castTo(x, 'f32')), 'bf16') : norm(x);

/** Batch norm over batch and space. Neither training nor measuring: the moving statistics, and no reduction. */
export function batchNorm(ctx: Context, activation: Value, settings: BatchNormSettings = {}): Value {
  const { momentum = 0.9, epsilon = NORM_EPSILON.batch } = settings;
  return inFloat(activation, (x) =>
    ctx.layer(settings.name ?? 'batch_norm', () => {
      const shape = [channelOf(x)];
      const movingMean = ctx.variable('moving_mean', shape, { kind: 'constant', value: 0 }, false);
      const movingVariance = ctx.variable('moving_variance', shape, { kind: 'constant', value: 1 }, false);
      if (!ctx.training && !ctx.measuring)
        return normalise(
          ctx,
          x,
          { mean: castTo(movingMean, 'f64'), variance: castTo(movingVariance, 'f64') },
          epsilon,
          settings,
        );
      const moments = momentsOver(x, allButChannel(x));
      const share = ctx.measuring ? ctx.share : number(x, 1 - momentum);
      const kept = ctx.measuring ? sub(number(x, 1), share) : number(x, momentum);
      ctx.update(movingMean, mix(movingMean, kept, moments.mean, share));
      ctx.update(movingVariance, mix(movingVariance, kept, moments.variance, share));
      return normalise(ctx, x, moments, epsilon, settings);
    }),
  );
}

/** Instance norm: each image and channel by its own statistics, in training and after. */
export function instanceNorm(ctx: Context, activation: Value, settings: InstanceNormSettings = {}): Value {
  return inFloat(activation, (x) =>
    ctx.layer(settings.name ?? 'instance_norm', () =>
      normalise(
        ctx,
        x,
        momentsOver(x, settings.over ?? withoutBatch(x)),
        settings.epsilon ?? NORM_EPSILON.instance,
        settings,
      ),
    ),
  );
}

/**
 * Group norm: each image and group of neighbouring channels by its own statistics. The sums are taken per channel and then
 * joined by a small membership table, so the channels may be split over ranks in any way.
 */
export function groupNorm(ctx: Context, activation: Value, settings: GroupNormSettings): Value {
  return inFloat(activation, (x) =>
    ctx.layer(settings.name ?? 'group_norm', () => {
      const channel = channelOf(x);
      const { groups } = settings;
      if (!Number.isSafeInteger(groups) || groups < 1 || channel.size % groups !== 0)
        fail({
          where: `group_norm "${ctx.here}"`,
          problem: `${channel.size} channels do not make ${groups} equal groups`,
          expected: `a divisor of ${channel.size}`,
          found: String(groups),
          hint: 'Set the number of groups so that it divides the width of every level',
        });
      const over = settings.over ?? withoutBatch(x);
      const count = countOver(x, over) * (channel.size / groups);
      const member = membership(x, channel, groups);
      const mean = pool(reduceSum(x, over, 'f64'), member, channel, count);
      const meanSquare = pool(reduceSum(square(x), over, 'f64'), member, channel, count);
      return normalise(
        ctx,
        x,
        momentsFrom(mean, meanSquare),
        settings.epsilon ?? NORM_EPSILON.group,
        settings,
      );
    }),
  );
}

const withoutBatch = (x: Value): string[] => allButChannel(x).filter((name) => name !== BATCH);

/** Moments of each channel over the named dimensions. */
function momentsOver(x: Value, over: readonly string[]): Moments {
  const inverse = number(x, 1 / countOver(x, over));
  const mean = mul(reduceSum(x, over, 'f64'), inverse);
  return momentsFrom(mean, mul(reduceSum(square(x), over, 'f64'), inverse));
}

/** Rounding must not make the variance of a constant channel negative. */
function momentsFrom(mean: Value, meanSquare: Value): Moments {
  return { mean, variance: maximum(sub(meanSquare, square(mean)), number(mean, 0)) };
}

/** [channel, group] table: 1 where the channel belongs to the group. */
function membership(x: Value, channel: Dim, groups: number): Value {
  const size = channel.size / groups;
  const values = Array.from({ length: channel.size * groups }, (_, at) =>
    Math.floor(Math.floor(at / groups) / size) === at % groups ? 1 : 0,
  );
  const shape: Shape = [channel, { name: `${channel.name}_group`, size: groups }];
  return tableOf(x.graph, shape, values, 'f64');
}

/** Sums per channel to the mean of each channel's group: [..., channel] -> [..., group] -> [..., channel]. */
function pool(sums: Value, member: Value, channel: Dim, count: number): Value {
  const perGroup = mul(reduceSum(mul(sums, member), [channel.name]), number(sums, 1 / count));
  const back = mul(perGroup, member);
  const group = member.shape[dimIndex(member.shape, `${channel.name}_group`)];
  return reduceSum(back, [group.name]);
}

/** x * scale + shift with scale and shift from the moments, gamma and beta. */
function normalise(
  ctx: Context,
  x: Value,
  { mean, variance }: Moments,
  epsilon: number,
  { affine = true }: NormSettings,
): Value {
  const inverse = rsqrt(add(variance, number(x, epsilon)));
  if (!affine) return scaleAndShift(x, inverse, neg(mul(mean, inverse)));
  const shape = [channelOf(x)];
  const gamma = castTo(ctx.variable('gamma', shape, { kind: 'constant', value: 1 }), 'f64');
  const beta = castTo(ctx.variable('beta', shape, { kind: 'constant', value: 0 }), 'f64');
  const scale = mul(inverse, gamma);
  return scaleAndShift(x, scale, sub(beta, mul(mean, scale)));
}

function scaleAndShift(x: Value, scale: Value, shift: Value): Value {
  return add(mul(x, castTo(scale, 'f32')), castTo(shift, 'f32'));
}

/** Moving average: kept * old + share * now. */
function mix(old: Value, kept: Value, now: Value, share: Value): Value {
  return add(mul(castTo(old, 'f64'), kept), mul(now, share));
}
