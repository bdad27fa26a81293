import { z } from 'zod';
import { type AugmentConfig, expectedOf } from '../../imaging/index.ts';
import { AUGMENTATIONS, type AugmentationSettings } from './augmentation.ts';

const number = (error: string, holds: (n: number) => boolean) => z.number({ error }).refine(holds, { error });
const upTo = (most: number) => number(`a number from 0 to ${most}`, (n) => n >= 0 && n <= most);
const below = (end: number) => number(`a number from 0 to below ${end}`, (n) => n >= 0 && n < end);
const whole = (least: number, most: number) =>
  number(`a whole number from ${least} to ${most}`, (n) => Number.isInteger(n) && n >= least && n <= most);
const probability = upTo(1);
const object = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.strictObject(shape, { error: (issue) => (issue.code === 'invalid_type' ? 'an object' : undefined) });
const name = z.enum(AUGMENTATIONS, { error: `one of ${AUGMENTATIONS.join(', ')}` });

/** Every change, none forgotten. */
const changes: { readonly [K in keyof AugmentConfig]-?: z.ZodType<NonNullable<AugmentConfig[K]>> } = {
  organ: whole(0, 255),
  lesion: whole(0, 255),
  fakeLesions: object({ probability }),
  flip: z.tuple([probability, probability, probability], {
    error: 'probabilities for depth, height and width, such as [0, 0, 0.5]',
  }),
  rotate180: probability,
  rotate: object({ probability, degrees: upTo(180) }),
  stain: object({ probability, scale: below(1), shift: upTo(1) }),
  projective: object({ probability, transformRatio: upTo(0.2), translateRatio: upTo(0.5) }),
  affine: object({ probability, transformRatio: upTo(0.5), translateRatio: upTo(0.5) }),
  zoom: object({ probability, ratio: below(1) }),
  elastic: object({ probability, cells: whole(1, 64), ratio: upTo(0.25) }),
  classIntensity: object({ probability, ratio: upTo(1) }),
  gamma: object({ probability, ratio: upTo(3) }),
  intensity: object({ probability, scale: upTo(1), shift: upTo(1) }),
  noise: object({ probability, ratio: upTo(1) }),
  corruption: object({ probability, share: upTo(1) }),
};

const single = object({ preset: name, ...changes }).partial();

/** As in a config. A fault is told with the key of the change that it is in. */
export const augmentationSchema = z.unknown().check(({ value, issues }) => {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  const result = isObject
    ? single.safeParse(value, { error: expectedOf })
    : name.safeParse(value, { error: expectedOf });
  for (const issue of result.error?.issues ?? []) {
    const message = isObject ? issue.message : `${issue.message}, or an object of changes`;
    issues.push({ ...issue, message, input: value } as z.core.$ZodRawIssue);
  }
}) as unknown as z.ZodType<AugmentationSettings>;
