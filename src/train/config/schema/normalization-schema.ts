import { z } from 'zod';
import { mostChannels } from '../../../imaging/index.ts';
import { NORMALIZATIONS } from '../choices.ts';

// The schemas of what a config says of channels.

const number = z.number({ error: 'a number' }).refine(Number.isFinite, { error: 'a number' });
const normalizations = `one of auto, ${NORMALIZATIONS.join(', ')}, an object of kind clip, or a list of these`;
const clip = z
  .strictObject({
    kind: z.literal('clip'),
    lower: number,
    upper: number,
    mean: number,
    deviation: number.refine((n) => n > 0, { error: 'a number above 0' }),
  })
  .refine(({ lower, upper }) => lower < upper, { error: 'a lower end below the upper one' });
const oneNormalization = z.union([z.enum(NORMALIZATIONS), clip], { error: normalizations });
/** How channels are normalised. */
export const normalizationSchema = z.union(
  [z.literal('auto'), oneNormalization, z.array(oneNormalization).min(1).max(mostChannels)],
  { error: normalizations },
);
/** Names of channels. */
export const channelNamesSchema = z
  .array(z.string({ error: 'a text' }).min(1, { error: 'a text that is not empty' }), {
    error: 'a list of names',
  })
  .min(1, { error: 'at least one name' })
  .max(mostChannels, { error: `at most ${mostChannels} names` });
