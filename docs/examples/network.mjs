// A network for `halomesh train --network docs/examples/network.mjs`: a U-Net of residual blocks with SiLU, whose skip connections pass
// attention gates. It takes any number of channels and axes, and any size.

const WIDTHS = [8, 16, 32];

/** @type {import('halomesh').NetworkFunction} */
export default function network(ctx, image, classes, kit) {
  const {
    conv,
    convTranspose,
    instanceNorm,
    maxPool,
    attentionGate,
    scoresOf,
    silu,
    add,
    concat,
    channelOf,
  } = kit;
  const channel = channelOf(image).name;

  /** Two convolutions past which their input is added; through a convolution of its own where widths differ. */
  const residual = (name, x, filters) =>
    ctx.scope(name, () => {
      const first = silu(instanceNorm(ctx, conv(ctx, x, { filters, kernel: 3 })));
      const second = instanceNorm(ctx, conv(ctx, first, { filters, kernel: 3 }));
      const past = channelOf(x).size === filters ? x : conv(ctx, x, { name: 'past', filters, kernel: 1 });
      return silu(add(second, past));
    });

  const skips = [];
  let x = residual('down0', ctx.stored(image), WIDTHS[0]);
  for (let level = 1; level < WIDTHS.length; level++) {
    skips.push(x);
    x = residual(`down${level}`, maxPool(x, 2, { padding: 'ceil' }), WIDTHS[level]);
  }

  const scores = [];
  for (let level = WIDTHS.length - 2; level >= 0; level--) {
    const skip = skips[level];
    x = ctx.scope(`up${level}`, () => {
      const gated = attentionGate(ctx, skip, x);
      const up = convTranspose(ctx, x, { filters: WIDTHS[level], kernel: 2, stride: 2, onto: skip.shape });
      return residual('block', concat([up, gated], channel), WIDTHS[level]);
    });
    // The lower resolutions are asked for by --deep-supervision.
    if (level > 0 && ctx.deep) scores.unshift(ctx.scope(`up${level}`, () => scoresOf(ctx, x, classes, 1)));
  }
  return [scoresOf(ctx, x, classes, 1), ...scores];
}
