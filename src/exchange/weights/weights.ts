import { Context, networkConfig, networkLevels } from '../../nn/index.ts';
import { inputOf } from '../../ops/index.ts';
import { imageShape, networkOf, stagesOf, type TrainConfig } from '../../train/index.ts';

// The variables of a network, and how PyTorch lays them out.
//
//   here      [kernel..., channel_in, channel]    convolution              [kernel..., channel, channel_in]    transposed
//   PyTorch   [channel, channel_in, kernel...]    convolution              [channel_in, channel, kernel...]    transposed
//
//
// Of both, and of fully connected layers, the last two dimensions come first there, in reverse order. Vectors are the same.

/** A variable that a trained network has. */
export interface Weight {
  /** Its path in a checkpoint. */
  readonly name: string;
  readonly shape: readonly number[];
}

/** The variables of a config's network; `heads`: with the scores at lower resolutions that deep supervision adds. */
export function weightsOf(config: TrainConfig, classes: number, heads = false): Weight[] {
  const ctx = new Context({ training: false, averaged: config.ema !== undefined });
  const network = networkConfig(networkOf(config, classes));
  // Weights depend on no size of space.
  const image = imageShape(config, [1, 1, 1]);
  networkLevels(ctx, inputOf(ctx.graph, 'image', image, 'f32'), network, heads);
  return ctx.parameters.map(({ name, value }) => ({ name, shape: value.shape.map((dim) => dim.size) }));
}

/** The path of a weight without the mark of its running average. */
export const plainName = (name: string): string => name.replace(/\/ema$/, '');

/** The shape that a weight has in PyTorch. */
export function torchShape(sizes: readonly number[]): number[] {
  return torchOrder(sizes.length).map((dim) => sizes[dim]);
}

/** Which dimension of a weight each of PyTorch's is. */
export function torchOrder(dims: number): number[] {
  const all = Array.from({ length: dims }, (_, dim) => dim);
  return dims < 2 ? all : [dims - 1, dims - 2, ...all.slice(0, -2)];
}

/** An array with its dimensions in another order: dimension n of the result is dimension order[n] of what is given. */
export function permuted(
  data: ArrayLike<number>,
  sizes: readonly number[],
  order: readonly number[],
): Float32Array<ArrayBuffer> {
  const strides = sizes.map((_, dim) => sizes.slice(dim + 1).reduce((n, size) => n * size, 1));
  const to = order.map((dim) => ({ size: sizes[dim], stride: strides[dim] }));
  const out = new Float32Array(data.length);
  const at = to.map(() => 0);
  let place = 0;
  for (let n = 0; n < out.length; n++) {
    out[n] = data[place];
    for (let dim = to.length - 1; dim >= 0; dim--) {
      place += to[dim].stride;
      if (++at[dim] < to[dim].size) break;
      place -= to[dim].stride * to[dim].size;
      at[dim] = 0;
    }
  }
  return out;
}

/** Resolutions of a config's network. */
export const levelsOf = (config: TrainConfig): number => stagesOf(config)?.length ?? config.levels;

/**
 * The key of a weight in PyTorch. Of a network given stage by stage it is that of nnU-Net's checkpoints; of the U-Net it is the path with dots, and
 * the names that PyTorch's layers have (`down0/conv0/norm/gamma`: `down0.conv0.norm.weight`).
 */
export function torchKey(name: string, config: TrainConfig): string {
  const path = plainName(name).split('/');
  const last = path.pop()!;
  const ending = torchEndings[last] ?? last;
  const levels = levelsOf(config);
  if (stagesOf(config) === undefined) return [...path, ending].join('.');
  const [scope, layer, ...inner] = path;
  const level = Number(/\d+$/.exec(scope)?.[0] ?? 0);
  // The decoder counts from the lowest resolution up.
  const stage = levels - 2 - level;
  if (scope === 'output' || layer === 'output') return `decoder.seg_layers.${stage}.${ending}`;
  if (layer === 'transpose') return `decoder.transpconvs.${stage}.${ending}`;
  if (scope === 'stem')
    return `encoder.stem.convs.0.${[...(inner.length > 0 ? inner : ['conv']), ending].join('.')}`;
  if (layer.startsWith('block')) return residualKey(level, layer, inner, ending, config);
  const conv = `convs.${layer.slice('conv'.length)}.${[...(inner.length > 0 ? inner : ['conv']), ending].join('.')}`;
  return scope.startsWith('down') ? `encoder.stages.${level}.0.${conv}` : `decoder.stages.${stage}.${conv}`;
}

/** Of `block2/conv0/norm` of a level: `blocks.2.conv1.norm`; what goes past a block that strides is pooled first. */
function residualKey(
  level: number,
  block: string,
  [layer, ...inner]: readonly string[],
  ending: string,
  config: TrainConfig,
): string {
  const number = Number(block.slice('block'.length));
  const strides = Object.values(stagesOf(config)![level].stride).some((step) => step > 1);
  const pooled = number === 0 && strides;
  const name = layer === 'skip' ? `skip.${pooled ? 1 : 0}` : `conv${Number(layer.slice('conv'.length)) + 1}`;
  const rest = [...(inner.length > 0 ? inner : ['conv']), ending].join('.');
  return `encoder.stages.${level}.blocks.${number}.${name}.${rest}`;
}

const torchEndings: Readonly<Record<string, string | undefined>> = {
  gamma: 'weight',
  beta: 'bias',
  slope: 'weight',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};
