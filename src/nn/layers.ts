import { type Dim, dimOf, fail, type Shape, type Value } from '../core/index.ts';
import {
  add,
  avgPoolRaw,
  convRaw,
  convTransposeRaw,
  einsum,
  maxPoolRaw,
  type ResizeKind,
  dropout as randomDropout,
  rename,
  resize,
  type Windows,
} from '../ops/index.ts';
import { channelOf, type PerAxis, perAxis, spaceOf } from './axes.ts';
import { checkGroups, groupedConvRaw } from './blocks/grouped-conv.ts';
import type { Context } from './context.ts';

// Layers with weights, and pooling.
//
//   activation   [batch, space..., channel]
//   weight       [kernel_<axis>..., channel_in, channel]       conv
//                [kernel_<axis>..., channel, channel_in]       convTranspose: the weight of the conv that it transposes
//   bias         [channel]
//
// The output channels carry one name in weights and activations alike, so that a layout that splits them splits both.

/** Zeros around the volume: `same` keeps sizes at stride 1; `ceil` adds just enough after the end to use every voxel. */
export type Padding = 'same' | 'ceil' | PerAxis;

export interface WindowSettings {
  readonly stride?: PerAxis;
  readonly dilation?: PerAxis;
  readonly padding?: Padding;
}

export interface ConvSettings extends WindowSettings {
  readonly name?: string;
  /** Output channels. */
  readonly filters: number;
  /** Kernel size: one for all spatial axes, or one for each axis named. */
  readonly kernel: PerAxis;
  readonly bias?: boolean;
  /** Groups of channels, each seen by its own share of the filters; as many as channels: a depthwise convolution. 1 by default. */
  readonly groups?: number;
  /** Name of the output channel dimension; that of the input by default. */
  readonly out?: string;
  /** Slope of the leaky ReLU that follows, for the first weights. */
  readonly slope?: number;
}

export interface ConvTransposeSettings extends Omit<ConvSettings, 'padding' | 'out' | 'groups'> {
  /** Spatial sizes to restore, such as the skip's. Default: input size * stride. */
  readonly onto?: Shape;
  readonly padding?: 'ceil' | PerAxis;
}

/** Windows of the axes that `kernel` names, over the sizes of `x`. */
export function windowsFor(
  x: { readonly shape: Shape },
  kernel: PerAxis,
  settings: WindowSettings,
  where: string,
): Windows {
  const kernels = perAxis(kernel, x, where);
  const of = (setting: PerAxis, axis: string, otherwise: number): number =>
    typeof setting === 'number' ? setting : (setting[axis] ?? otherwise);
  return Object.fromEntries(
    Object.entries(kernels).map(([axis, size]) => {
      const stride = of(settings.stride ?? 1, axis, 1);
      const dilation = of(settings.dilation ?? 1, axis, 1);
      const free = dilation * (size - 1);
      const padding = settings.padding ?? 0;
      if (padding === 'same') {
        // An even reach puts the odd zero after the end, so that output o still begins near input o.
        const low = Math.floor(free / 2);
        return [axis, { kernel: size, stride, dilation, padLow: low, padHigh: free - low }];
      }
      if (padding === 'ceil') {
        const beyond = dimOf(x.shape, axis, where).size - (free + 1);
        const padHigh = beyond < 0 ? -beyond : (stride - (beyond % stride)) % stride;
        return [axis, { kernel: size, stride, dilation, padLow: 0, padHigh }];
      }
      const pad = of(padding, axis, 0);
      return [axis, { kernel: size, stride, dilation, padLow: pad, padHigh: pad }];
    }),
  );
}

/** Kernel dimensions of a weight, in the order of the windows. */
function kernelDims(window: Windows): Dim[] {
  return Object.entries(window).map(([axis, w]) => ({ name: `kernel_${axis}`, size: w.kernel }));
}

const taps = (window: Windows): number => Object.values(window).reduce((n, w) => n * w.kernel, 1);

function checkFilters(filters: number, where: string): void {
  if (!Number.isSafeInteger(filters) || filters < 1)
    fail({ where, problem: 'filters', expected: 'a whole number of at least 1', found: String(filters) });
}

function withBias(ctx: Context, y: Value, wanted: boolean | undefined): Value {
  return wanted ? add(y, ctx.variable('bias', [channelOf(y)], { kind: 'constant', value: 0 })) : y;
}

/** Convolution over the spatial axes that `kernel` names. No bias unless asked for. Padding `same` by default. */
export function conv(ctx: Context, x: Value, settings: ConvSettings): Value {
  return ctx.layer(settings.name ?? 'conv', () => {
    const where = `conv "${ctx.here}"`;
    checkFilters(settings.filters, where);
    const channel = channelOf(x);
    const { groups = 1 } = settings;
    checkGroups(groups, channel.size, settings.filters, where);
    const each = channel.size / groups;
    const window = windowsFor(
      x,
      settings.kernel,
      { ...settings, padding: settings.padding ?? 'same' },
      where,
    );
    const shape = [
      ...kernelDims(window),
      { name: `${channel.name}_in`, size: each },
      { name: settings.out ?? channel.name, size: settings.filters },
    ];
    const weight = ctx.variable(
      'weight',
      shape,
      ctx.firstWeights(taps(window) * each, (taps(window) * settings.filters) / groups, settings.slope),
    );
    const y = groups === 1 ? convRaw(x, weight, window) : groupedConvRaw(x, weight, window, groups);
    return withBias(ctx, y, settings.bias);
  });
}

/**
 * Transposed convolution onto the spatial sizes of `onto`: the transpose of the convolution that would lead from there to x.
 * Every output voxel is reached by about kernel / stride taps of an axis, which is what its fan-in counts.
 */
export function convTranspose(ctx: Context, x: Value, settings: ConvTransposeSettings): Value {
  return ctx.layer(settings.name ?? 'conv_transpose', () => {
    const where = `conv_transpose "${ctx.here}"`;
    checkFilters(settings.filters, where);
    const channel = channelOf(x);
    const strides = perAxis(settings.stride ?? 1, x, where);
    const onto = x.shape.map((dim) => ({
      name: dim.name,
      size: settings.onto ? dimOf(settings.onto, dim.name, where).size : dim.size * (strides[dim.name] ?? 1),
    }));
    const window = windowsFor(
      { shape: onto },
      settings.kernel,
      { ...settings, padding: settings.padding ?? 'ceil' },
      where,
    );
    const shape = [
      ...kernelDims(window),
      { name: channel.name, size: settings.filters },
      { name: `${channel.name}_in`, size: channel.size },
    ];
    const reached = Object.values(window).reduce((n, w) => n * Math.max(1, w.kernel / w.stride), 1);
    const weight = ctx.variable(
      'weight',
      shape,
      ctx.firstWeights(reached * channel.size, reached * settings.filters, settings.slope),
    );
    return withBias(ctx, convTransposeRaw(x, weight, window, onto), settings.bias);
  });
}

/** Largest of each window; stride = kernel unless given. With padding `ceil` an odd rest makes a smaller last window. */
export function maxPool(x: Value, kernel: PerAxis, settings: WindowSettings = {}): Value {
  return maxPoolRaw(x, windowsFor(x, kernel, { ...settings, stride: settings.stride ?? kernel }, 'max_pool'));
}

/** Mean of each window, over the voxels inside the volume; stride = kernel unless given. */
export function avgPool(x: Value, kernel: PerAxis, settings: WindowSettings = {}): Value {
  return avgPoolRaw(
    x,
    windowsFor(x, kernel, { ...settings, stride: settings.stride ?? kernel }, 'avg_pool'),
    false,
  );
}

/** Enlarges or shrinks space to the sizes of `onto`, by the nearest voxel or linear interpolation. */
export function upsample(x: Value, onto: Shape, kind: ResizeKind = 'linear'): Value {
  const size = spaceOf(x, 'upsample').map(
    (axis) => [axis.name, dimOf(onto, axis.name, 'upsample').size] as const,
  );
  return resize(x, kind, Object.fromEntries(size));
}

export interface DenseSettings {
  readonly name?: string;
  /** Output channels. */
  readonly filters: number;
  readonly bias?: boolean;
  /** Name of the output channel dimension; that of the input by default. */
  readonly out?: string;
  readonly slope?: number;
}

/** Fully connected over the channels: y[..., o] = sum over i of x[..., i] * weight[i, o]. With bias unless refused. */
export function dense(ctx: Context, x: Value, settings: DenseSettings): Value {
  return ctx.layer(settings.name ?? 'dense', () => {
    checkFilters(settings.filters, `dense "${ctx.here}"`);
    const channel = channelOf(x);
    const from = { name: `${channel.name}_in`, size: channel.size };
    const to = { name: settings.out ?? channel.name, size: settings.filters };
    const weight = ctx.variable(
      'weight',
      [from, to],
      ctx.firstWeights(channel.size, settings.filters, settings.slope),
    );
    const kept = x.shape.slice(0, -1).map((dim) => dim.name);
    const y = einsum([rename(x, { [channel.name]: from.name }), weight], [...kept, to.name], x.dtype);
    return withBias(ctx, y, settings.bias ?? true);
  });
}

/** Keeps each element with probability `keep` and divides it by it, else 0; anew at every step. Nothing when not training. */
export function dropout(ctx: Context, x: Value, keep: number): Value {
  if (!(keep > 0 && keep <= 1))
    fail({
      where: `dropout "${ctx.here}"`,
      problem: 'keep',
      expected: 'above 0, at most 1',
      found: String(keep),
    });
  if (!ctx.training || keep === 1) return x;
  return randomDropout(x, keep, { seed: ctx.seed, stream: ctx.randomStream() }, ctx.pass);
}
