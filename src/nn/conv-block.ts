import { fail, type Value } from '../core/index.ts';
import { castTo, leakyRelu } from '../ops/index.ts';
import { type PerAxis, perAxis } from './axes.ts';
import type { Context } from './context.ts';
import { conv, dropout } from './layers.ts';
import { batchNorm, groupNorm, instanceNorm } from './norm.ts';

export const NORM_KINDS = ['batch', 'instance', 'group', 'none'] as const;

export type NormKind = (typeof NORM_KINDS)[number];

export interface ConvBlockSettings {
  readonly name?: string;
  readonly filters: number;
  readonly kernel?: PerAxis;
  readonly stride?: PerAxis;
  readonly norm?: NormKind;
  /** Groups of group norm. */
  readonly groups?: number;
  /** Added to the variance in the norm; by default what its kind has. */
  readonly epsilon?: number;
  /** Slope of the leaky ReLU. */
  readonly slope?: number;
  /** Probability that dropout keeps an element; 1 is no dropout. */
  readonly keep?: number;
  /** Without: convolution and norm alone, where the leaky ReLU follows a sum. True by default. */
  readonly activate?: boolean;
}

/**
 * Convolution, norm, leaky ReLU, dropout. Only a norm of kind `none` needs the convolution's bias. All after the convolution is
 * element-wise in float32; what comes out is stored as the context says, so that one rounding stands between two convolutions.
 */
export function convBlock(ctx: Context, x: Value, settings: ConvBlockSettings): Value {
  const { filters, kernel = 3, stride, norm = 'batch', slope = 0.1, keep = 1, activate = true } = settings;
  return ctx.layer(settings.name ?? 'conv_block', () => {
    const raw = conv(ctx, x, { name: '', filters, kernel, stride, bias: norm === 'none', slope });
    const wide = raw.dtype === 'bf16' ? castTo(raw, 'f32') : raw;
    const { groups, epsilon } = settings;
    const over = Object.keys(perAxis(kernel, x, 'conv_block'));
    const normed = applyNorm(ctx, wide, norm, groups, over, epsilon);
    const active = activate ? leakyRelu(normed, slope) : normed;
    return castTo(dropout(ctx, active, keep), raw.dtype);
  });
}

/** The norm of a kind, under the name `norm`. `over`: the axes that make an image, for instance and group norm; all by default. */
export function applyNorm(
  ctx: Context,
  x: Value,
  kind: NormKind,
  groups = 8,
  over?: readonly string[],
  epsilon?: number,
): Value {
  switch (kind) {
    case 'batch':
      return batchNorm(ctx, x, { name: 'norm', epsilon });
    case 'instance':
      return instanceNorm(ctx, x, { name: 'norm', over, epsilon });
    case 'group':
      return groupNorm(ctx, x, { name: 'norm', groups, over, epsilon });
    case 'none':
      return x;
    default:
      return fail({
        where: 'norm',
        problem: 'unknown kind',
        expected: NORM_KINDS.join(', '),
        found: String(kind satisfies never),
      });
  }
}
