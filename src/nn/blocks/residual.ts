import type { Value } from '../../core/index.ts';
import { add, castTo, leakyRelu } from '../../ops/index.ts';
import { channelOf, perAxis } from '../axes.ts';
import type { Context } from '../context.ts';
import { type ConvBlockSettings, convBlock } from '../conv-block.ts';
import { avgPool } from '../layers.ts';

/** Those of its convolutions. */
export type ResidualBlockSettings = Omit<ConvBlockSettings, 'keep' | 'activate'>;

/**
 * A residual block (He et al. 2016) as the encoder of nnU-Net has them: y = act(norm(conv(act(norm(conv(x))))) + past(x)). What goes past is
 * x, pooled by the mean where the block strides, and through a convolution of kernel 1 and a norm where widths differ.
 */
export function residualBlock(ctx: Context, x: Value, settings: ResidualBlockSettings): Value {
  const { name = 'residual', filters, kernel = 3, stride = 1, norm = 'instance', groups, epsilon } = settings;
  const { slope = 0.01 } = settings;
  return ctx.layer(name, () => {
    const shared = { filters, norm, groups, epsilon, slope };
    const first = convBlock(ctx, x, { ...shared, name: 'conv0', kernel, stride });
    const second = convBlock(ctx, first, { ...shared, name: 'conv1', kernel, activate: false });
    const strides = perAxis(stride, x, 'residual');
    const pooled = Object.values(strides).some((step) => step > 1)
      ? avgPool(x, strides, { padding: 'ceil' })
      : x;
    const once = Object.fromEntries(Object.keys(perAxis(kernel, x, 'residual')).map((axis) => [axis, 1]));
    const past =
      channelOf(x).size === filters
        ? pooled
        : convBlock(ctx, pooled, { ...shared, name: 'skip', kernel: once, activate: false });
    const wide = (y: Value): Value => (y.dtype === 'bf16' ? castTo(y, 'f32') : y);
    return castTo(leakyRelu(add(wide(second), wide(past)), slope), second.dtype);
  });
}
