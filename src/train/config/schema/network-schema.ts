import { z } from 'zod';
import { HalomeshError } from '../../../core/index.ts';
import { expectedOf } from '../../../imaging/index.ts';
import { checkPlainUNet, STAGED_KINDS } from '../../../nn/index.ts';
import { isNetworkName, NETWORKS, type TrainConfig } from '../config-type.ts';
import { MOST_CHANNELS, MOST_SIZE } from '../limits.ts';
import { byDim, decay, matching, number, object, positive, text, whole } from './schema-parts.ts';

// The schemas of what a config says of networks and of losses given in code.

const byAxis = byDim(whole(1, MOST_SIZE), 'numbers by axis, such as {"depth": 3, "height": 3, "width": 3}');
const finite = number('a number', Number.isFinite);
const called = z.custom<never>((value) => typeof value === 'function', { error: 'a function' });
const plain = object({
  kind: z.enum(STAGED_KINDS, { error: `one of ${STAGED_KINDS.join(', ')}, module, code` }),
  stages: z
    .array(
      object({
        filters: whole(1, MOST_CHANNELS),
        kernel: byAxis,
        stride: byAxis,
        down: whole(1, 100),
        up: whole(0, 100),
      }),
      { error: 'a list of stages' },
    )
    .min(1, { error: 'at least one stage' })
    .max(10, { error: 'at most ten stages' }),
  slope: decay,
  epsilon: positive,
  scale: finite,
  shift: finite,
}).superRefine((given, ctx) => {
  try {
    checkPlainUNet({ ...given, classes: 2 });
  } catch (error) {
    if (!(error instanceof HalomeshError)) throw error;
    ctx.addIssue({ code: 'custom', message: `stages of one network (${error.message})` });
  }
});
const module = object({
  kind: z.literal('module'),
  name: text,
  sha256: matching(/^[0-9a-f]{64}$/, '64 hexadecimal digits'),
  build: called.optional(),
});
const inCode = object({ kind: z.literal('code'), name: text, build: called.optional() });

const asked = `${NETWORKS.join(', ')}, or a module (.mjs, .js)`;
const file = z
  .string({ error: asked })
  .refine((name) => isNetworkName(name) || /.\.m?js$/.test(name), { error: asked });

const kinds: Readonly<Record<string, z.ZodType | undefined>> = {
  plain,
  residual: plain,
  module,
  code: inCode,
};

/** A network by name, by its file, or by its kind; errors name the key at fault, which a union would not. */
export const networkSchema = z.custom<TrainConfig['network'] & {}>().superRefine((value: unknown, ctx) => {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
  const schema = (typeof kind === 'string' ? kinds[kind] : undefined) ?? (kind === undefined ? file : plain);
  const issues = schema.safeParse(value, { error: expectedOf }).error?.issues ?? [];
  for (const { path, message, ...issue } of issues) {
    const params = issue.code === 'custom' ? issue.params : undefined;
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : [];
    if (keys.length > 0)
      ctx.addIssue({ code: 'unrecognized_keys', keys, path: [...path], message, input: {} });
    else ctx.addIssue({ code: 'custom', path: [...path], message, params });
  }
});

export const customLoss = object({ name: text, build: called.optional() });
