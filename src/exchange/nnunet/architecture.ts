import { fail, shownValue } from '../../core/index.ts';
import type { ByAxis, PlainStage, StagedKind } from '../../nn/index.ts';
import type { NormalizationSetting, StagedNetwork } from '../../train/index.ts';
import { channelsOf, normalisationOf } from './intensities.ts';
import { type ImportedLabels, labelsOf } from './labels.ts';
import { type Configuration, type DatasetFile, type Plans, refuse } from './plans.ts';

// What a network of nnU-Net is here: a U-Net stage by stage, plain or with a residual encoder. What it cannot be is refused by name.

/** Axes of an image in the order of its array. */
const AXES = ['depth', 'height', 'width'] as const;

/** The parts of a run's config that the plans and the data set give. */
export interface Imported {
  readonly network: StagedNetwork;
  readonly labels: ImportedLabels;
  readonly spacing: readonly [number, number, number];
  /** Of a single channel of CT. */
  readonly window?: { readonly lower: number; readonly upper: number };
  /** Of all other channels. */
  readonly channels?: readonly string[];
  readonly normalization?: readonly NormalizationSetting[];
  readonly patch: readonly [number, number, number];
  readonly batch: number;
  /** Which axis of the image each of the network's is. */
  readonly turned: readonly number[];
}

/** How a network is laid out, one entry for each stage. */
interface Layout {
  readonly where: string;
  readonly kind: StagedKind;
  readonly filters: readonly number[];
  readonly kernels: readonly (readonly number[])[];
  readonly strides: readonly (readonly number[])[];
  readonly down: readonly number[];
  /** From the lowest resolution up, one fewer than stages. */
  readonly up: readonly number[];
  readonly slope: number;
  readonly epsilon: number;
}

/** `file`: the plans, for messages. */
export function importedOf(
  file: string,
  plans: Plans,
  { name, configuration }: { readonly name: string; readonly configuration: Configuration },
  dataset: { readonly file: string; readonly content: DatasetFile },
): Imported {
  const where = `${file} "configurations.${name}"`;
  if (configuration.previous_stage)
    refuse(
      where,
      'is the second stage of a cascade',
      'a configuration of its own',
      configuration.previous_stage,
    );
  const layout = layoutOf(where, configuration);
  const turned = axesOf(file, plans, layout);
  const { spacing, patch_size: patch, batch_size: batch = 2 } = configuration;
  const channels = channelsOf(dataset.file, dataset.content);
  const { line, window, normalization } = normalisationOf(where, plans, configuration, channels);
  const inImage = (values: readonly number[]): [number, number, number] => {
    const at = (axis: number) => values[turned.indexOf(axis)];
    return [at(0), at(1), at(2)];
  };
  if (spacing?.length !== 3)
    refuse(`${where} "spacing"`, 'voxel size', 'three numbers of mm', shownValue(spacing));
  if (patch?.length !== 3)
    refuse(`${where} "patch_size"`, 'patch', 'three numbers of voxels', shownValue(patch));
  return {
    network: { ...networkOf(layout, inImage), ...line },
    labels: labelsOf(dataset.file, dataset.content),
    spacing: inImage(spacing!),
    ...(window && { window }),
    ...(normalization && { channels, normalization }),
    patch: inImage(patch!),
    batch,
    turned,
  };
}

/** The layout of a configuration in the form of present or of older plans. */
function layoutOf(where: string, configuration: Configuration): Layout {
  const { architecture } = configuration;
  if (architecture === undefined) return olderLayout(where, configuration);
  const at = `${where} "architecture"`;
  const { network_class_name: name, arch_kwargs: given } = architecture;
  const stages = given.n_stages;
  const each = (values: number | readonly number[], count: number, key: string): readonly number[] => {
    const list = typeof values === 'number' ? new Array<number>(count).fill(values) : values;
    return sized(list, count, `${at} "${key}"`);
  };
  const kind = kindNamed(at, name);
  const named = (key: string, value: string | null | undefined, wanted: RegExp, expected: string) => {
    if (!wanted.test(value ?? 'none')) refuse(`${at} "${key}"`, 'layer', expected, value ?? 'none');
  };
  named('conv_op', given.conv_op, /(^|\.)Conv3d$/, 'Conv3d');
  named('norm_op', given.norm_op, /(^|\.)InstanceNorm3d$/, 'InstanceNorm3d');
  named('dropout_op', given.dropout_op, /^none$/, 'none');
  named('nonlin', given.nonlin, /(^|\.)LeakyReLU$/, 'LeakyReLU');
  named('pool', given.pool ?? 'conv', /^conv$/, 'conv');
  if (given.nonlin_first)
    refuse(`${at} "nonlin_first"`, 'order of a block', 'norm before activation', 'true');
  if (given.norm_op_kwargs?.affine === false)
    refuse(`${at} "norm_op_kwargs"`, 'norm', 'weights and biases', 'affine false');
  const of = kind === 'residual' ? 'n_blocks_per_stage' : 'n_conv_per_stage';
  if (kind === 'residual') {
    const [first] = each(given.features_per_stage, stages, 'features_per_stage');
    const { stem_channels: stem, bottleneck_channels: narrow, squeeze_excitation: squeezed } = given;
    if (stem && stem !== first) refuse(`${at} "stem_channels"`, 'width of the stem', `${first}`, `${stem}`);
    if (narrow) refuse(`${at} "bottleneck_channels"`, 'residual blocks', 'basic ones', 'bottlenecks');
    if (squeezed) refuse(`${at} "squeeze_excitation"`, 'residual blocks', 'none', 'squeeze and excitation');
  }
  return {
    where: at,
    kind,
    filters: each(given.features_per_stage, stages, 'features_per_stage'),
    kernels: sized(given.kernel_sizes, stages, `${at} "kernel_sizes"`),
    strides: sized(given.strides, stages, `${at} "strides"`),
    down: each(counts(at, given[of], of), stages, of),
    up: each(given.n_conv_per_stage_decoder, stages - 1, 'n_conv_per_stage_decoder'),
    // What PyTorch takes where nothing is said.
    slope: given.nonlin_kwargs?.negative_slope ?? 0.01,
    epsilon: given.norm_op_kwargs?.eps ?? 1e-5,
  };
}

function olderLayout(where: string, given: Configuration): Layout {
  const { UNet_class_name: name, UNet_base_num_features: base, unet_max_num_features: most } = given;
  const { n_conv_per_stage_encoder: down, n_conv_per_stage_decoder: up } = given;
  const { conv_kernel_sizes: kernels, pool_op_kernel_sizes: strides } = given;
  if (name === undefined || base === undefined || most === undefined || !down || !up || !kernels || !strides)
    return fail({
      where,
      problem: 'tells no network',
      expected: '"architecture", or "UNet_class_name" and what belongs to it',
      found: 'neither',
    });
  const kind = kindNamed(where, name);
  const stages = strides.length;
  return {
    where,
    kind,
    filters: strides.map((_, stage) => Math.min(base * 2 ** stage, most)),
    kernels: sized(kernels, stages, `${where} "conv_kernel_sizes"`),
    strides,
    down: sized(down, stages, `${where} "n_conv_per_stage_encoder"`),
    up: sized(up, stages - 1, `${where} "n_conv_per_stage_decoder"`),
    slope: 0.01,
    epsilon: 1e-5,
  };
}

/** The kind of a network by the name of its class. */
function kindNamed(where: string, name: string): StagedKind {
  if (/(^|\.)PlainConvUNet$/.test(name)) return 'plain';
  if (/(^|\.)ResidualEncoderUNet$/.test(name)) return 'residual';
  return refuse(where, 'network', 'PlainConvUNet or ResidualEncoderUNet', name);
}

function counts(
  where: string,
  given: number | readonly number[] | undefined,
  key: string,
): number | readonly number[] {
  return (
    given ?? fail({ where: `${where} "${key}"`, problem: 'expected a number for each stage, found nothing' })
  );
}

function sized<T>(list: readonly T[], count: number, where: string): readonly T[] {
  if (list.length !== count)
    fail({ where, problem: 'number of entries', expected: `${count}`, found: `${list.length}` });
  return list;
}

/** Which axis of the image each of the network's is. */
function axesOf(
  file: string,
  { transpose_forward: turned }: Plans,
  { where, kernels, strides }: Layout,
): readonly number[] {
  if ([...turned].sort().join() !== '0,1,2')
    fail({
      where: `${file} "transpose_forward"`,
      problem: 'order of axes',
      expected: '0, 1, 2 in any order',
      found: turned.join(', '),
    });
  for (const sizes of [...kernels, ...strides])
    if (sizes.length !== 3)
      refuse(where, 'windows', 'three sizes, of depth, height and width', sizes.join(', '));
  for (const kernel of kernels)
    if (kernel.some((size) => size % 2 === 0)) refuse(where, 'kernel', 'odd sizes', kernel.join(', '));
  if (strides[0].some((step) => step !== 1))
    refuse(where, 'strides of the first stage', '1, 1, 1', strides[0].join(', '));
  return turned;
}

function networkOf(
  { kind, filters, kernels, strides, down, up, slope, epsilon }: Layout,
  inImage: (values: readonly number[]) => readonly number[],
): Omit<StagedNetwork, 'scale' | 'shift'> {
  const byAxis = (values: readonly number[]): ByAxis =>
    Object.fromEntries(inImage(values).map((value, axis) => [AXES[axis], value]));
  const stages = filters.map(
    (width, n): PlainStage => ({
      filters: width,
      kernel: byAxis(kernels[n]),
      stride: byAxis(strides[n]),
      down: down[n],
      up: n < up.length ? up[up.length - 1 - n] : 0,
    }),
  );
  return { kind, stages, slope, epsilon };
}
