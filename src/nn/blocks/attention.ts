import type { Value } from '../../core/index.ts';
import { add, castTo, leakyRelu, mul, reshape, sigmoid } from '../../ops/index.ts';
import { channelOf, spaceOf } from '../axes.ts';
import type { Context } from '../context.ts';
import { conv, upsample } from '../layers.ts';

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
