import { describe, expect, it } from 'vitest';
import type { Value } from '../../src/core/index.ts';
import { gelu, logSigmoid, silu } from '../../src/nn/index.ts';
import {
  add,
  avgPoolRaw,
  classSums,
  concat,
  convRaw,
  convTransposeRaw,
  crossEntropy,
  leakyRelu,
  maxPoolRaw,
  mul,
  type ResizeKind,
  reduceMean,
  reshape,
  resize,
  rsqrt,
  scalar,
  softmax,
  square,
  sub,
  windows,
} from '../../src/ops/index.ts';
import { compare, type Fixture, fixtures, imageDims, named, spaceOf } from './fixtures.ts';

// The references of the operations, and their gradients, against PyTorch in float64.

interface WindowSettings {
  readonly kernel: readonly number[];
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

function windowOf({ settings, inputs }: Fixture<WindowSettings>): ReturnType<typeof windows> {
  const axes = spaceOf(inputs.x);
  return windows(Object.fromEntries(axes.map((axis, i) => [axis, settings.kernel[i]])), settings);
}

const kernelDims = (axes: readonly string[]): string[] => [
  ...axes.map((axis) => `kernel_${axis}`),
  'in',
  'out',
];

describe('convolution', () => {
  for (const fixture of fixtures<WindowSettings>('conv'))
    it(fixture.name, () => {
      const { x } = fixture.inputs;
      const dims = { x: imageDims(x), w: kernelDims(spaceOf(x)) };
      compare(fixture, dims, (v) => convRaw(v.x, v.w, windowOf(fixture)));
    });
});

describe('transposed convolution', () => {
  for (const fixture of fixtures<WindowSettings>('conv_transpose'))
    it(fixture.name, () => {
      const { x } = fixture.inputs;
      const onto = named(imageDims(x), fixture.results.y.shape);
      const dims = { x: imageDims(x), w: kernelDims(spaceOf(x)) };
      compare(fixture, dims, (v) => convTransposeRaw(v.x, v.w, windowOf(fixture), onto));
    });
});

describe('pooling', () => {
  for (const fixture of fixtures<WindowSettings>('max_pool'))
    it(`maximum: ${fixture.name}`, () => {
      compare(fixture, { x: imageDims(fixture.inputs.x) }, (v) => maxPoolRaw(v.x, windowOf(fixture)));
    });
  for (const fixture of fixtures<WindowSettings & { countPadding: boolean }>('avg_pool'))
    it(`average: ${fixture.name}`, () => {
      const { countPadding } = fixture.settings;
      compare(fixture, { x: imageDims(fixture.inputs.x) }, (v) =>
        avgPoolRaw(v.x, windowOf(fixture), countPadding),
      );
    });
});

describe('resizing', () => {
  for (const fixture of fixtures<{ kind: ResizeKind; size: readonly number[] }>('resize'))
    it(fixture.name, () => {
      const { kind, size } = fixture.settings;
      const { x } = fixture.inputs;
      const sizes = Object.fromEntries(spaceOf(x).map((axis, i) => [axis, size[i]]));
      compare(fixture, { x: imageDims(x) }, (v) => resize(v.x, kind, sizes));
    });
});

/** (x - mean) / sqrt(variance + epsilon) over the dimensions named. */
function normalised(x: Value, over: readonly string[], epsilon: number): Value {
  const centred = sub(x, reduceMean(x, over));
  const variance = reduceMean(square(centred), over);
  return mul(centred, rsqrt(add(variance, scalar(x, epsilon))));
}

describe('normalisation, composed of operations', () => {
  for (const fixture of fixtures<{ groups: number | 'batch'; epsilon: number }>('norm'))
    it(fixture.name, () => {
      const { groups, epsilon } = fixture.settings;
      const dims = imageDims(fixture.inputs.x);
      const space = dims.slice(1, -1);
      const affine = (x: Value, v: Readonly<Record<string, Value>>) => add(mul(x, v.gamma), v.beta);
      compare(fixture, { x: dims, gamma: ['channel'], beta: ['channel'] }, (v) => {
        if (groups === 'batch') return affine(normalised(v.x, ['batch', ...space], epsilon), v);
        const channels = v.x.shape[v.x.shape.length - 1].size;
        const grouped = reshape(v.x, [
          ...v.x.shape.slice(0, -1),
          { name: 'group', size: groups },
          { name: 'member', size: channels / groups },
        ]);
        return affine(reshape(normalised(grouped, [...space, 'member'], epsilon), v.x.shape), v);
      });
    });
});

describe('losses and activations', () => {
  const [three, two, sums] = fixtures<{ weights: readonly number[]; cls: number }>('loss');
  const over = (fixture: typeof three) => ({
    x: imageDims(fixture.inputs.x),
    target: imageDims(fixture.inputs.x).slice(0, -1),
  });

  for (const fixture of [three, two])
    it(fixture.name, () => {
      const { weights } = fixture.settings;
      compare(fixture, over(fixture), (v) => crossEntropy(v.x, v.target, { classes: 'channel', weights }));
    });

  it(sums.name, () => {
    const { cls } = sums.settings;
    compare(sums, over(sums), (v) => {
      const { pt, p, t } = classSums(v.x, v.target, { classes: 'channel', cls, keep: ['batch'] });
      const rows = [pt, p, t].map((value) => reshape(value, [{ name: 'sum', size: 1 }, ...value.shape]));
      return concat(rows, 'sum');
    });
  });

  const [soft, leaky, ...steep] = fixtures<{ slope: number }>('activation');
  it(soft.name, () => compare(soft, { x: imageDims(soft.inputs.x) }, (v) => softmax(v.x, 'channel')));
  it(leaky.name, () =>
    compare(leaky, { x: imageDims(leaky.inputs.x) }, (v) => leakyRelu(v.x, leaky.settings.slope)),
  );

  const layers = { gelu: [gelu, 3], silu: [silu, 3], log_sigmoid: [logSigmoid, 9] } as const;
  for (const fixture of steep)
    it(fixture.name, () => {
      const [layer, slope] = layers[fixture.name as keyof typeof layers];
      compare(fixture, { x: imageDims(fixture.inputs.x) }, (v) => layer(mul(v.x, scalar(v.x, slope))));
    });

  it('compares every fixture that there is', () => {
    expect(fixtures('loss')).toHaveLength(3);
    expect(steep.map(({ name }) => name)).toEqual(Object.keys(layers));
  });
});
