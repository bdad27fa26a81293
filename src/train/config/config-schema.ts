import { z } from 'zod';
import { expectedOf } from '../../imaging/index.ts';
import { DEVICE_WORDS, type DeviceChoice, isDeviceChoice } from '../../machine/index.ts';
import { FIRST_WEIGHTS, LOSS_NAMES, NORM_KINDS } from '../../nn/index.ts';
import { augmentationSchema } from './augmentation-schema.ts';
import { PRESETS, SAMPLINGS, TASKS, type TrainConfig } from './config-type.ts';
import {
  LEAST_MEMORY,
  MOST_BATCH,
  MOST_CHANNELS,
  MOST_PLANE,
  MOST_SLICES,
  MOST_STEPS,
  MOST_THREADS,
  MOST_VOXELS,
  SPACING,
} from './limits.ts';
import { classNames, classValues, labelMapping, labelRegions } from './schema/label-schema.ts';
import { customLoss, networkSchema } from './schema/network-schema.ts';
import { nnunetSchema } from './schema/nnunet-schema.ts';
import { channelNamesSchema, normalizationSchema } from './schema/normalization-schema.ts';
import {
  byDim,
  decay,
  flag,
  kinds,
  matching,
  notNegative,
  number,
  object,
  oneOf,
  positive,
  probability,
  share,
  text,
  whole,
} from './schema/schema-parts.ts';

// The schema of a config. What a field expects is the text of its error.

const optimizer = z.discriminatedUnion(
  'kind',
  [
    object({
      kind: z.literal('sgd'),
      momentum: decay.optional(),
      nesterov: flag.optional(),
      weightDecay: notNegative.optional(),
    }),
    object({
      kind: z.literal('adam'),
      beta1: decay.optional(),
      beta2: decay.optional(),
      epsilon: positive.optional(),
      weightDecay: notNegative.optional(),
    }),
    object({
      kind: z.literal('adafactor'),
      factorFrom: whole(1).nullable().optional(),
      decay: positive.optional(),
      clip: positive.nullable().optional(),
      parameterScale: flag.optional(),
      epsilon1: positive.optional(),
      epsilon2: positive.optional(),
    }),
  ],
  kinds(['sgd', 'adam', 'adafactor']),
);

const schedule = z.discriminatedUnion(
  'kind',
  [
    object({ kind: z.literal('constant') }),
    object({ kind: z.literal('step'), factor: positive, every: whole(1) }),
    object({ kind: z.literal('cosine'), warmup: whole(0).optional(), floor: notNegative.optional() }),
    object({ kind: z.literal('poly'), power: positive.optional() }),
  ],
  kinds(['constant', 'step', 'cosine', 'poly']),
);

const heldOut = {
  error: 'a list of case ids, a share of the cases above 0 and below 1, or a .json or .txt file',
};
const caseShare = number(heldOut.error, (n) => n > 0 && n < 1);
const caseFile = text.regex(/\.(json|txt)$/i, heldOut);

const bestBy = matching(
  /^(dice|dice:.+|loss|auc|accuracy)$/,
  'dice, dice:CLASS or loss, of images that have one label auc, accuracy or loss',
);
const fold = matching(
  /^\d+(\/(\d+|all))?$/,
  'K/N or K/all, such as 0/5; K alone for a file of splits',
).refine(
  (value) => {
    const [index, parts] = value.split('/');
    return parts === undefined || parts === 'all' || (Number(index) < Number(parts) && Number(parts) >= 2);
  },
  { error: 'K/N with K from 0 to below N and N of at least 2' },
);
const hounsfield = number('a number of HU', Number.isFinite);
const patch = z
  .tuple([whole(1), whole(1), whole(1)], {
    error: 'voxels along depth, height and width, such as [96, 128, 128]',
  })
  .refine(([depth, height, width]) => depth * height * width <= MOST_VOXELS, {
    error: 'at most 2^31 voxels together',
  });
const window = object({ lower: hounsfield, upper: hounsfield }).refine(({ lower, upper }) => lower < upper, {
  error: 'a lower end below the upper one',
});

/** Parts by dimension, or `auto`; errors name the dimension, which a union would not. */
const parts = byDim(whole(1), 'parts by dimension, such as {"depth": 2}, or "auto"');
const split = z.custom<TrainConfig['split'] & {}>().superRefine((value: unknown, ctx) => {
  const issues = value === 'auto' ? [] : (parts.safeParse(value, { error: expectedOf }).error?.issues ?? []);
  for (const { path, message, ...issue } of issues) {
    const params = issue.code === 'custom' ? issue.params : undefined;
    ctx.addIssue({ code: 'custom', path: [...path], message, params });
  }
});

const millimetres = (value: unknown): value is number =>
  typeof value === 'number' && value >= SPACING.least && value <= SPACING.most;
const spacing = z.custom<TrainConfig['spacing'] & {}>(
  (value) => millimetres(value) || (Array.isArray(value) && value.length === 3 && value.every(millimetres)),
  { error: `a number from ${SPACING.least} to ${SPACING.most} (mm), or three: depth, height, width` },
);

const microns = z.custom<number>((value) => typeof value === 'number' && millimetres(value / 1000), {
  error: `a number from ${1000 * SPACING.least} to ${1000 * SPACING.most} (microns)`,
});

/** A schema for every key of a config, none forgotten. */
const fields: { readonly [K in keyof TrainConfig]-?: z.ZodType<TrainConfig[K]> } = {
  preset: oneOf(PRESETS),
  task: oneOf(TASKS).optional(),
  data: text,
  images: text.optional(),
  labels: text.optional(),
  imageLabels: text.optional(),
  mapLabels: labelMapping.optional(),
  resampleTilt: flag.optional(),
  out: text,
  classes: classNames.optional(),
  classValues: classValues.optional(),
  regions: labelRegions.optional(),
  ignore: flag.optional(),
  validation: z.union([z.array(text), caseShare, caseFile], heldOut).optional(),
  fold: fold.optional(),
  size: whole(1, MOST_PLANE).optional(),
  spacing: spacing.optional(),
  channels: channelNamesSchema.optional(),
  normalization: normalizationSchema.optional(),
  window: window.optional(),
  patch: patch.optional(),
  augmentation: augmentationSchema,
  split: split.optional(),
  mesh: z.record(text, whole(1), { error: 'ranks by mesh axis, such as {"rows": 2}' }),
  layout: byDim(text, 'mesh axes by dimension, such as {"depth": "rows"}'),
  device: z.custom<DeviceChoice>(isDeviceChoice, { error: `one of ${DEVICE_WORDS.join(', ')}` }),
  threads: whole(1, MOST_THREADS),
  memoryLimit: number(
    `bytes as a whole number, of at least ${LEAST_MEMORY} (${Math.ceil(LEAST_MEMORY / 2 ** 20)} MiB), which a process takes before it computes`,
    (n) => Number.isSafeInteger(n) && n >= LEAST_MEMORY,
  ).optional(),
  spillDir: text.optional(),
  exactConv: oneOf(['auto', 'direct']).optional(),
  slices: number(
    `an odd number from 1 to ${MOST_SLICES}`,
    (n) => Number.isSafeInteger(n) && n >= 1 && n <= MOST_SLICES && n % 2 === 1,
  ).optional(),
  plane: flag.optional(),
  ignoreGlass: flag.optional(),
  network: networkSchema.optional(),
  nnunet: nnunetSchema.optional(),
  base: whole(1, MOST_CHANNELS),
  levels: number('a whole number from 1 to 10', (n) => Number.isInteger(n) && n >= 1 && n <= 10),
  norm: oneOf(NORM_KINDS),
  dropoutKeep: probability,
  precision: oneOf(['f32', 'bf16']),
  loss: object({
    terms: z
      .array(oneOf(LOSS_NAMES), { error: `a list of losses (${LOSS_NAMES.join(', ')})` })
      .min(1, { error: 'at least one loss' })
      .refine((terms) => new Set(terms).size === terms.length, { error: 'each loss once' })
      .optional(),
    weights: z
      .array(notNegative, { error: 'a list of numbers, one for each class' })
      .refine((weights) => weights.some((weight) => weight > 0), { error: 'at least one weight above 0' })
      .optional(),
    foregroundWeight: notNegative,
    dice: z.array(whole(0), { error: 'a list of classes' }).optional(),
    mix: share,
    epsilon: positive,
    gamma: notNegative.optional(),
    alpha: notNegative.optional(),
    beta: notNegative.optional(),
    boundaryWeight: object({ first: share, last: share }).optional(),
    custom: customLoss.optional(),
  }),
  deepSupervision: flag,
  firstWeights: oneOf(FIRST_WEIGHTS).optional(),
  init: text.optional(),
  freeze: z
    .array(text, { error: 'a list of patterns such as ["down*"]' })
    .min(1, { error: 'at least one pattern' })
    .optional(),
  rates: z.record(text, notNegative, { error: 'factors by pattern, such as {"down*": 0.1}' }).optional(),
  optimizer,
  clipNorm: positive.optional(),
  ema: decay.optional(),
  learningRate: positive,
  schedule,
  steps: whole(1, MOST_STEPS),
  batch: whole(1, MOST_BATCH),
  accumulate: whole(1, MOST_BATCH).optional(),
  sampling: oneOf(SAMPLINGS),
  checkpointEvery: whole(1),
  bestBy,
  patience: whole(1).optional(),
  statisticsCases: whole(0),
  seed: number('a whole number from 0 to 4294967295', (n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32),
};

/** A whole config. */
export const configSchema: z.ZodType<TrainConfig> = object(fields);

/** What a user gives of a config: any of its keys, and of the loss any of its settings. */
export const givenSchema: z.ZodType<GivenConfig> = object({
  ...fields,
  loss: (fields.loss as unknown as z.ZodObject).partial(),
  mpp: microns,
}).partial() as unknown as z.ZodType<GivenConfig>;

export type GivenConfig = Partial<Omit<TrainConfig, 'loss'>> & {
  readonly loss?: Partial<TrainConfig['loss']>;
  /** Of a pixel: a spacing in microns. */
  readonly mpp?: number;
};
