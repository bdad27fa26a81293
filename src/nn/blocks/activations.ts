import type { Value } from '../../core/index.ts';
import {
  abs,
  add,
  castTo,
  erf,
  exp,
  leakyRelu,
  log,
  mul,
  neg,
  scalar,
  sigmoid,
  sub,
} from '../../ops/index.ts';
import { channelOf } from '../axes.ts';
import type { Context } from '../context.ts';

// Activations made of element-wise operations, which every device fuses with the kernels beside them. Where x is stored in bfloat16
// they run in float32, so that nothing but the result is rounded.

const inFloat = (x: Value, f: (x: Value) => Value): Value =>
  x.dtype === 'bf16' ? castTo(f(castTo(x, 'f32')), 'bf16') : f(x);

/** x sigmoid(x) (Elfwing et al. 2017). */
export const silu = (x: Value): Value => inFloat(x, (wide) => mul(wide, sigmoid(wide)));

/** x / 2 (1 + erf(x / sqrt(2))): x times the share of a standard normal distribution below x (Hendrycks & Gimpel 2016). */
export const gelu = (x: Value): Value =>
  inFloat(x, (wide) =>
    mul(mul(wide, scalar(wide, 0.5)), add(erf(mul(wide, scalar(wide, Math.SQRT1_2))), scalar(wide, 1))),
  );

/**
 * log(sigmoid(x)) = (x - |x|) / 2 - log(1 + e^-|x|): no power overflows, and the gradient is that of the formula everywhere, 1/2 at 0.
 */
export const logSigmoid = (x: Value): Value =>
  inFloat(x, (wide) => {
    const size = abs(wide);
    const linear = mul(sub(wide, size), scalar(wide, 0.5));
    return sub(linear, log(add(exp(neg(size)), scalar(wide, 1))));
  });

export interface PreluSettings {
  readonly name?: string;
  /** What slopes begin as. */
  readonly first?: number;
}

/** Leaky ReLU with a slope for each channel that is learnt, 1/4 at first (He et al. 2015). */
export function prelu(ctx: Context, x: Value, { name = 'prelu', first = 0.25 }: PreluSettings = {}): Value {
  return ctx.layer(name, () => {
    const slope = ctx.variable('slope', [channelOf(x)], { kind: 'constant', value: first });
    return inFloat(x, (wide) => {
      const above = leakyRelu(wide, 0);
      return add(above, mul(sub(wide, above), slope));
    });
  });
}
