import { fail, type Value } from '../../core/index.ts';
import { add, castTo, leakyRelu, mul, reduceMean, reshape, sigmoid } from '../../ops/index.ts';
import { channelOf, spaceOf } from '../axes.ts';
import type { Context } from '../context.ts';
import { conv, upsample } from '../layers.ts';
import { vectorLayer } from './vector.ts';

export interface SqueezeExciteSettings {
  readonly name?: string;
  /** How many times fewer channels lie between the two layers; 16 as published. */
  readonly reduction?: number;
}

/**
 * Squeeze and excitation (Hu et al. 2018): the means of the channels over space go through two small layers, and the result, from 0
 * to 1, multiplies the channels. The means are sums over the whole volume in float64, wherever its parts lie.
 */
export function squeezeExcite(
  ctx: Context,
  x: Value,
  { name = 'squeeze_excite', reduction = 16 }: SqueezeExciteSettings = {},
): Value {
  return ctx.layer(name, () => {
    const where = `squeeze_excite "${ctx.here}"`;
    if (!(reduction >= 1))
      fail({ where, problem: 'reduction', expected: 'a number of at least 1', found: String(reduction) });
    const channels = channelOf(x).size;
    const space = spaceOf(x, where).map((axis) => axis.name);
    const fewer = Math.max(1, Math.round(channels / reduction));
    const squeezed = leakyRelu(
      vectorLayer(ctx, reduceMean(x, space, 'f64'), { name: 'squeeze', filters: fewer, slope: 0 }),
      0,
    );
    const excited = vectorLayer(ctx, squeezed, { name: 'excite', filters: channels, slope: 1 });
    return castTo(mul(x, castTo(sigmoid(excited), 'f32')), x.dtype);
  });
}

export interface AttentionGateSettings {
  readonly name?: string;
  /** Channels in which skip and gate are compared; half of those of the skip by default. */
  readonly filters?: number;
}

/**
 * The attention gate of Oktay et al. 2018: multiplies a skip connection by a number from 0 to 1 at every voxel,
 *
 *   a = sigmoid(psi . relu(W skip + U gate + b) + c)     y = skip a
 *
 * W and U convolutions of kernel 1, psi one to a single channel. The gate comes from a lower resolution, and is brought to the
 * sizes of the skip by linear interpolation.
 */
export function attentionGate(
  ctx: Context,
  skip: Value,
  gate: Value,
  { name = 'attention', filters }: AttentionGateSettings = {},
): Value {
  return ctx.layer(name, () => {
    const width = filters ?? Math.max(1, Math.floor(channelOf(skip).size / 2));
    const compared = { filters: width, kernel: 1, slope: 0 };
    const ofGate = conv(ctx, gate, { ...compared, name: 'gate' });
    const here = spaceOf(skip, 'attention gate');
    const there = spaceOf(gate, 'attention gate');
    const same = here.every(({ size }, axis) => size === there[axis].size);
    const raised = same ? ofGate : upsample(ofGate, skip.shape);
    const both = leakyRelu(add(conv(ctx, skip, { ...compared, name: 'skip', bias: true }), raised), 0);
    const one = conv(ctx, both, { name: 'psi', filters: 1, kernel: 1, bias: true, slope: 1 });
    const attention = sigmoid(reshape(one, one.shape.slice(0, -1)));
    return castTo(mul(skip, attention), skip.dtype);
  });
}
