import { describe, expect, it } from 'vitest';
import { shape, type Value } from '../../core/index.ts';
import { concat, evaluate, gradients, inputOf, reduceSum, slice } from '../../ops/index.ts';
import { Context } from '../context.ts';
import { feedsOf, sizes } from '../feeds.testing.ts';
import { conv } from '../layers.ts';
import { gelu, logSigmoid, prelu, silu } from './activations.ts';
import { attentionGate, squeezeExcite } from './attention.ts';

function context(image: Record<string, number>): { ctx: Context; x: Value } {
  const ctx = new Context({ seed: 1 });
  return { ctx, x: inputOf(ctx.graph, 'x', shape(image), 'f64') };
}

const POINTS = [-1000, -20, -3, -0.5, 0, 0.5, 3, 20, 1000];

/** Values at the points, and slopes. */
function at(f: (x: Value) => Value): { y: number[]; slope: number[] } {
  const { ctx, x } = context({ batch: 1, width: POINTS.length, channel: 1 });
  const y = f(x);
  const [slope] = gradients(reduceSum(y, ['batch', 'width', 'channel']), [x]);
  const [values, slopes] = evaluate(ctx.graph, { x: Float64Array.from(POINTS) }, [y, slope!]);
  return { y: [...values], slope: [...slopes] };
}

const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x));

describe('activations', () => {
  it('SiLU is x times its sigmoid', () => {
    expect(at(silu).y).toEqual(POINTS.map((x) => x * sigmoidOf(x)));
    expect(at(silu).slope[4]).toBe(0.5);
  });

  it('GELU is 0 far below 0, x far above, and falls by half at 0', () => {
    const { y, slope } = at(gelu);
    for (const [n, x] of POINTS.entries()) if (Math.abs(x) > 10) expect(y[n]).toBeCloseTo(Math.max(x, 0), 12);
    expect(y[6]).toBeCloseTo(3 * 0.9986501019683699, 12); // 3 times the normal distribution at 3
    expect(slope[4]).toBe(0.5);
  });

  it('the logarithm of the sigmoid overflows nowhere and falls by half at 0', () => {
    const { y, slope } = at(logSigmoid);
    expect(y[0]).toBe(-1000);
    expect(y[8]).toBeCloseTo(0, 12);
    for (const n of [1, 2, 3, 4, 5, 6, 7]) {
      expect(y[n]).toBeCloseTo(-Math.log1p(Math.exp(-POINTS[n])), 9);
      expect(slope[n]).toBeCloseTo(sigmoidOf(-POINTS[n]), 12);
    }
    expect(slope).toContain(0.5);
  });

  it('PReLU has a slope for each channel', () => {
    const { ctx, x } = context({ batch: 1, width: 2, channel: 2 });
    const y = prelu(ctx, x);
    expect(ctx.parameters.map(({ name }) => name)).toEqual(['prelu/slope']);
    const feeds = feedsOf(ctx.graph, { x: [-4, -4, 3, 3], 'prelu/slope': [0.25, -1] });
    expect([...evaluate(ctx.graph, feeds, [y])[0]]).toEqual([-1, 4, 3, 3]);
  });
});

describe('grouped convolution', () => {
  it.each([
    [2, 4, 6],
    [6, 6, 6],
    [6, 6, 12],
    [20, 40, 20],
    [36, 36, 36],
    [3, 51, 9],
  ])('of %i groups over %i channels to %i equals groups one by one', (groups, channels, filters) => {
    const { ctx, x } = context({ batch: 1, height: 4, width: 3, channel: channels });
    const y = conv(ctx, x, { filters, kernel: 3, groups, bias: true });
    const [weight, bias] = ctx.parameters;
    expect(sizes(weight.value)).toBe(
      `kernel_height=3 kernel_width=3 channel_in=${channels / groups} channel=${filters}`,
    );
    const own = new Context({ graph: ctx.graph });
    const parts = Array.from({ length: groups }, (_, n) => {
      const part = (count: number): [number, number] => [(n * count) / groups, ((n + 1) * count) / groups];
      return conv(own, slice(x, { channel: part(channels) }), {
        name: `own${n}`,
        filters: filters / groups,
        kernel: 3,
      });
    });
    const apart = concat(parts, 'channel');
    const feeds = { ...feedsOf(ctx.graph, { [bias.name]: new Array(filters).fill(0) }) };
    const whole = feeds[weight.name];
    for (let n = 0; n < groups; n++) {
      const each = filters / groups;
      feeds[`own${n}/weight`] = Float64Array.from(
        { length: whole.length / groups },
        (_, at) => whole[Math.floor(at / each) * filters + n * each + (at % each)],
      );
    }
    const [found, expected] = evaluate(ctx.graph, feeds, [y, apart]);
    expect([...found]).toEqual([...expected]);
  });

  it('refuses groups that do not divide channels and filters', () => {
    const { ctx, x } = context({ batch: 1, height: 4, width: 3, channel: 6 });
    expect(() => conv(ctx, x, { filters: 4, kernel: 3, groups: 3 })).toThrow(
      'conv "conv": groups; expected a divisor of the 6 channels and of the 4 filters, found 3',
    );
  });
});

describe('attention', () => {
  it('squeeze and excitation multiplies channels by what their means say', () => {
    const { ctx, x } = context({ batch: 1, width: 2, channel: 2 });
    const y = squeezeExcite(ctx, x, { reduction: 2 });
    const feeds = feedsOf(ctx.graph, {
      x: [1, 2, 3, 6],
      'squeeze_excite/squeeze/weight': [1, 1],
      'squeeze_excite/excite/weight': [0, -1],
    });
    const scale = sigmoidOf(-6);
    const found = evaluate(ctx.graph, feeds, [y])[0];
    [0.5, 2 * scale, 1.5, 6 * scale].forEach((value, n) => {
      expect(found[n]).toBeCloseTo(value, 6);
    });
  });

  it('a gate of a lower resolution multiplies every voxel of the skip by 0 to 1', () => {
    const { ctx, x } = context({ batch: 1, height: 4, width: 5, channel: 4 });
    const gate = inputOf(ctx.graph, 'gate', shape({ batch: 1, height: 2, width: 3, channel: 7 }), 'f64');
    const y = attentionGate(ctx, x, gate);
    expect(sizes(y)).toBe(sizes(x));
    const feeds = feedsOf(ctx.graph, { x: new Array(80).fill(2) });
    const found = evaluate(ctx.graph, feeds, [y])[0];
    for (let voxel = 0; voxel < 20; voxel++) {
      const [first, ...rest] = found.slice(4 * voxel, 4 * voxel + 4);
      expect(first > 0 && first < 2).toBe(true);
      expect([...rest]).toEqual([first, first, first]);
    }
    expect(new Set(found).size).toBeGreaterThan(3);
    expect(ctx.parameters.map(({ name }) => name)).toEqual(
      ['gate/weight', 'skip/weight', 'skip/bias', 'psi/weight', 'psi/bias'].map(
        (name) => `attention/${name}`,
      ),
    );
  });
});
