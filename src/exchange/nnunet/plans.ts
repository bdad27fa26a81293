import path from 'node:path';
import { z } from 'zod';
import { fail } from '../../core/index.ts';
import { check, readJson, settingIn } from '../../train/config/config-error.ts';

// What nnU-Net v2 writes beside its checkpoints: plans.json (how data are prepared, the network) and dataset.json (channels, labels).

const number = z.number({ error: 'a number' });
const count = z
  .number({ error: 'a whole number' })
  .int({ error: 'a whole number' })
  .min(1, { error: 'at least 1' });
const numbers = z.array(number, { error: 'a list of numbers' });
const counts = z.array(count, { error: 'a list of whole numbers' });
const text = z.string({ error: 'a text' });
/** One for all stages, or one for each. */
const perStage = z.union([count, counts], { error: 'a whole number, or a list of them' });
const windows = z.array(counts, { error: 'a list of sizes for each stage' });
const part = <T extends z.core.$ZodLooseShape>(shape: T) => z.object(shape, { error: 'an object' });

const architecture = part({
  network_class_name: text,
  arch_kwargs: part({
    n_stages: count,
    features_per_stage: perStage,
    conv_op: text,
    kernel_sizes: windows,
    strides: windows,
    n_conv_per_stage: perStage.optional(),
    n_blocks_per_stage: perStage.optional(),
    n_conv_per_stage_decoder: perStage,
    conv_bias: z.boolean({ error: 'true or false' }),
    norm_op: text.nullish(),
    norm_op_kwargs: part({ eps: number.optional(), affine: z.boolean().optional() }).nullish(),
    dropout_op: text.nullish(),
    nonlin: text.nullish(),
    nonlin_kwargs: part({ negative_slope: number.optional() }).nullish(),
    nonlin_first: z.boolean().optional(),
    pool: text.optional(),
    stem_channels: count.nullish(),
    bottleneck_channels: perStage.nullish(),
    squeeze_excitation: z.boolean({ error: 'true or false' }).optional(),
  }),
});

/** How volumes are resampled; a function by its name in nnU-Net. */
const resampling = part({
  order: number.optional(),
  order_z: number.optional(),
  force_separate_z: z.boolean({ error: 'true, false or null' }).nullish(),
});
const configuration = part({
  resampling_fn_data: text.optional(),
  resampling_fn_data_kwargs: resampling.optional(),
  resampling_fn_probabilities: text.optional(),
  resampling_fn_probabilities_kwargs: resampling.optional(),
  inherits_from: text.optional(),
  previous_stage: text.nullish(),
  spacing: numbers.optional(),
  patch_size: counts.optional(),
  batch_size: count.optional(),
  normalization_schemes: z.array(text, { error: 'a list of names' }).optional(),
  use_mask_for_norm: z.array(z.boolean(), { error: 'a list of true and false' }).optional(),
  architecture: architecture.optional(),
  // Before nnU-Net 2.2 the network stands in the configuration itself.
  UNet_class_name: text.optional(),
  UNet_base_num_features: count.optional(),
  unet_max_num_features: count.optional(),
  n_conv_per_stage_encoder: counts.optional(),
  n_conv_per_stage_decoder: counts.optional(),
  pool_op_kernel_sizes: windows.optional(),
  conv_kernel_sizes: windows.optional(),
});

const plans = part({
  image_reader_writer: text.optional(),
  transpose_forward: numbers,
  foreground_intensity_properties_per_channel: z.record(
    text,
    part({ mean: number, std: number, percentile_00_5: number, percentile_99_5: number }),
    { error: 'numbers of each channel' },
  ),
  configurations: z.record(text, configuration, { error: 'an object of configurations' }),
});

const labelValue = z.union([z.number(), z.array(z.number())], { error: 'a number, or a list of them' });
const names = z.record(text, text, { error: 'names of channels, such as {"0": "CT"}' });
const dataset = part({
  channel_names: names.optional(),
  // What nnU-Net 1 and the Decathlon call them, which nnU-Net 2 takes, too.
  modality: names.optional(),
  labels: z.record(text, labelValue, { error: 'values by name, such as {"background": 0, "liver": 1}' }),
  regions_class_order: numbers.optional(),
});

export type Plans = z.infer<typeof plans>;
export type Configuration = z.infer<typeof configuration>;
export type DatasetFile = z.infer<typeof dataset>;

/** Reads plans.json of a folder of results. */
export const readPlans = (folder: string): Plans => {
  const file = path.join(folder, 'plans.json');
  return check(plans, readJson(file), settingIn(file));
};

/** Reads dataset.json of a folder of results. */
export const readDataset = (folder: string): DatasetFile => {
  const file = path.join(folder, 'dataset.json');
  return check(dataset, readJson(file), settingIn(file));
};

/** A configuration of the plans with what it inherits from others. */
export function configurationOf(file: string, { configurations }: Plans, name: string): Configuration {
  const known = new Map(Object.entries(configurations));
  const chain: Configuration[] = [];
  const seen = new Set<string>();
  for (let at: string | undefined = name; at !== undefined; ) {
    const found = known.get(at);
    if (found === undefined || seen.has(at))
      return fail({
        where: file,
        problem: 'configuration',
        expected: [...known.keys()].join(', '),
        found: found === undefined ? at : `${at}, which inherits from itself`,
      });
    seen.add(at);
    chain.unshift(found);
    at = found.inherits_from;
  }
  return Object.assign({}, ...chain);
}

/** Raises what cannot be imported, by its name. */
export function refuse(where: string, problem: string, expected: string, found: string): never {
  return fail({
    where,
    problem,
    expected,
    found,
    hint: 'Such a network cannot be imported yet',
  });
}
