import {
  type CustomNetwork,
  isPlainUNet,
  type Network,
  NORM_EPSILON,
  type NormKind,
  type PlainUNetConfig,
  type UNetConfig,
} from '../../nn/index.ts';
import type { RunWeights } from '../weights/run-weights.ts';
import { permuted, torchOrder, torchShape } from '../weights/weights.ts';
import type { OnnxModel, Size } from './onnx-model.ts';

// The networks of `nn/` in ONNX, channels first: [batch, channel, space...]. Axes of space are those that windows slide over; along
// the others every slice is an image of its own, and so one of the batch.

/** Networks that are settings, and not functions. */
export type StatedNetwork = Exclude<Network, CustomNetwork>;

/** What the operators of a network are added to. */
interface Site {
  readonly model: OnnxModel;
  readonly weights: RunWeights['weights'];
  /** Names of the axes, in order. */
  readonly axes: readonly string[];
}

/** The axes that windows of a network slide over, in the order of the image. */
export function windowAxes(network: StatedNetwork): string[] {
  const kernel = isPlainUNet(network) ? network.stages[0].kernel : network.kernel;
  const all = ['depth', 'height', 'width'];
  return typeof kernel === 'number' ? all : all.filter((axis) => axis in kernel);
}

/** Adds a network on an image [batch, channels, space...]; the name of the scores [batch, classes, space...]. */
export function addNetwork(
  model: OnnxModel,
  network: StatedNetwork,
  weights: RunWeights['weights'],
  image: string,
): string {
  const site: Site = { model, weights, axes: windowAxes(network) };
  return isPlainUNet(network) ? plainUnet(site, network, image) : unet(site, network, image);
}

/** Sizes of an image or of scores. */
export const sizesOf = (network: StatedNetwork, channels: number): Size[] => [
  'batch',
  channels,
  ...windowAxes(network),
];

function unet(site: Site, config: UNetConfig, image: string): string {
  const { model, axes } = site;
  const { levels, convolutions, norm, groups, slope } = config;
  const two = axes.map(() => 2);
  const blocks = (x: string, scope: string) => {
    for (let i = 0; i < convolutions; i++) x = block(site, x, `${scope}/conv${i}`, { norm, groups, slope });
    return x;
  };
  const skips: string[] = [];
  let x = blocks(image, 'down0');
  for (let level = 1; level < levels; level++) {
    skips.push(x);
    const pooled = model.node('MaxPool', `down${level}/pool`, [x], {
      kernel_shape: two,
      strides: two,
      ceil_mode: 1,
    });
    x = blocks(pooled, `down${level}`);
  }
  for (let level = levels - 2; level >= 0; level--)
    x = blocks(joined(site, x, skips[level], `up${level}`, two), `up${level}`);
  return convolution(site, x, 'output');
}

function plainUnet(site: Site, config: PlainUNetConfig, image: string): string {
  const { model, axes } = site;
  const { kind, stages, slope, epsilon, scale, shift } = config;
  const blocks = (x: string, scope: string, count: number, strides?: readonly number[]) => {
    for (let i = 0; i < count; i++)
      x = block(site, x, `${scope}/conv${i}`, {
        ...{ norm: 'instance', slope, epsilon },
        strides: i === 0 ? strides : undefined,
      });
    return x;
  };
  const stridesOf = (stage: number) => axes.map((axis) => stages[stage].stride[axis]);
  const scaled = model.node('Mul', 'scaled', [image, model.floats('scale', [], Float32Array.of(scale))]);
  let x = model.node('Add', 'normalised', [scaled, model.floats('shift', [], Float32Array.of(shift))]);
  const skips: string[] = [];
  if (kind === 'residual') x = blocks(x, 'stem', 1);
  for (const [level, { down }] of stages.entries()) {
    if (level > 0) skips.push(x);
    if (kind === 'residual')
      for (let n = 0; n < down; n++) {
        const strides = n === 0 ? stridesOf(level) : axes.map(() => 1);
        x = residual(site, x, `down${level}/block${n}`, { slope, epsilon, strides });
      }
    else x = blocks(x, `down${level}`, down, stridesOf(level));
  }
  for (let level = stages.length - 2; level >= 0; level--)
    x = blocks(
      joined(site, x, skips[level], `up${level}`, stridesOf(level + 1)),
      `up${level}`,
      stages[level].up,
    );
  return convolution(site, x, 'output');
}

/** Two blocks of convolution and norm, and what goes past them. */
function residual(
  site: Site,
  x: string,
  path: string,
  { slope, epsilon, strides }: { slope: number; epsilon: number; strides: readonly number[] },
): string {
  const { model, weights } = site;
  const shared = { norm: 'instance', slope, epsilon } as const;
  const first = block(site, x, `${path}/conv0`, { ...shared, strides });
  const second = block(site, first, `${path}/conv1`, { ...shared, activate: false });
  let past = strides.some((step) => step > 1)
    ? model.node('AveragePool', `${path}/pool`, [x], { kernel_shape: strides, strides, ceil_mode: 1 })
    : x;
  if (weights.has(`${path}/skip/weight`))
    past = block(site, past, `${path}/skip`, { ...shared, activate: false });
  const sum = model.node('Add', `${path}/sum`, [second, past]);
  return model.node('LeakyRelu', `${path}/activation`, [sum], { alpha: { float: slope } });
}

interface Block {
  readonly norm: NormKind;
  readonly groups?: number;
  readonly slope: number;
  readonly epsilon?: number;
  readonly strides?: readonly number[];
  /** Whether the leaky ReLU follows; true by default. */
  readonly activate?: boolean;
}

/** Convolution, norm, leaky ReLU. */
function block(
  site: Site,
  x: string,
  path: string,
  { norm, groups = 1, slope, epsilon, strides, activate = true }: Block,
): string {
  const raw = convolution(site, x, path, strides);
  const normed = normOf(site, raw, `${path}/norm`, { kind: norm, groups, epsilon });
  if (!activate) return normed;
  return site.model.node('LeakyRelu', `${path}/activation`, [normed], { alpha: { float: slope } });
}

/** A weight as a constant in the layout of ONNX, which is PyTorch's; undefined where the layer has none. */
function weight({ model, weights }: Site, path: string): { name: string; shape: number[] } | undefined {
  const found = weights.get(path);
  if (found === undefined) return undefined;
  const { shape, data } = found;
  const sizes = torchShape(shape);
  return { name: model.floats(path, sizes, permuted(data, shape, torchOrder(shape.length))), shape: sizes };
}

/** The weight and, where it has one, the bias of a layer: their names, and the sizes of the kernel. */
function layer(site: Site, path: string): { names: string[]; kernel: number[] } {
  const { name, shape } = weight(site, `${path}/weight`)!;
  const bias = weight(site, `${path}/bias`);
  return { names: [name, ...(bias ? [bias.name] : [])], kernel: shape.slice(2) };
}

/** Convolution; zeros around the volume keep its size but for strides. */
function convolution(site: Site, x: string, path: string, strides?: readonly number[]): string {
  const { names, kernel } = layer(site, path);
  // Kernels are odd: as many zeros before as after.
  const pads = kernel.map((size) => (size - 1) / 2);
  const settings = {
    kernel_shape: kernel,
    strides: strides ?? kernel.map(() => 1),
    pads: [...pads, ...pads],
  };
  return site.model.node('Conv', `${path}/conv`, [x, ...names], settings);
}

/** The transposed convolution of a scope, cut to the size of the skip, and the skip behind it. */
function joined(site: Site, x: string, skip: string, scope: string, strides: readonly number[]): string {
  const { model, axes } = site;
  const path = `${scope}/transpose`;
  const { names, kernel } = layer(site, path);
  const whole = model.node('ConvTranspose', `${path}/conv`, [x, ...names], { kernel_shape: kernel, strides });
  const sizes = model.node('Shape', `${path}/size`, [skip], { start: 2 });
  const zeros = model.wholes(
    `${path}/start`,
    axes.map(() => 0),
  );
  const dims = model.wholes(
    `${path}/axes`,
    axes.map((_, n) => n + 2),
  );
  const cut = model.node('Slice', `${path}/cut`, [whole, zeros, sizes, dims]);
  return model.node('Concat', `${scope}/concat`, [cut, skip], { axis: 1 });
}

interface Norm {
  readonly kind: NormKind;
  readonly groups: number;
  readonly epsilon?: number;
}

function normOf(site: Site, x: string, path: string, { kind, groups, epsilon }: Norm): string {
  if (kind === 'none') return x;
  const { model } = site;
  const of = (name: string) => weight(site, `${path}/${name}`)!.name;
  const settings = { epsilon: { float: epsilon ?? NORM_EPSILON[kind] } };
  switch (kind) {
    case 'batch':
      return model.node(
        'BatchNormalization',
        path,
        [x, ...['gamma', 'beta', 'moving_mean', 'moving_variance'].map(of)],
        settings,
      );
    case 'instance':
      return model.node('InstanceNormalization', path, [x, of('gamma'), of('beta')], settings);
    case 'group': {
      // Each group as one channel with all of its voxels; then the scale and shift of every channel.
      const flat = model.node('Reshape', `${path}/groups`, [
        x,
        model.wholes(`${path}/grouped`, [0, groups, -1]),
      ]);
      const even = (value: number) =>
        model.floats(`${path}/${value}`, [groups], new Float32Array(groups).fill(value));
      const normed = model.node('InstanceNormalization', `${path}/group`, [flat, even(1), even(0)], settings);
      const back = model.node('Reshape', `${path}/channels`, [
        normed,
        model.node('Shape', `${path}/size`, [x]),
      ]);
      const column = (name: string) => {
        const { data } = site.weights.get(`${path}/${name}`)!;
        return model.floats(`${path}/${name}`, [data.length, ...site.axes.map(() => 1)], data);
      };
      const scaled = model.node('Mul', `${path}/scaled`, [back, column('gamma')]);
      return model.node('Add', path, [scaled, column('beta')]);
    }
    default:
      return kind satisfies never;
  }
}
