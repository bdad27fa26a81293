import { z } from 'zod';
import { DIMENSIONS } from '../split-dimensions.ts';

// What schemas of settings are made of. What a field expects is the text of its error.

export const text = z.string({ error: 'a text' }).min(1, { error: 'a text that is not empty' });
export const whole = (least: number, most = Number.MAX_SAFE_INTEGER) => {
  const upTo = most === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${most}`;
  const error = `a whole number of at least ${least}${upTo}`;
  return z.number({ error }).refine((n) => Number.isSafeInteger(n) && n >= least && n <= most, { error });
};
export const number = (error: string, holds: (n: number) => boolean) =>
  z.number({ error }).refine(holds, { error });
export const positive = number('a number above 0', (n) => Number.isFinite(n) && n > 0);
export const notNegative = number('a number of at least 0', (n) => Number.isFinite(n) && n >= 0);
export const share = number('a number from 0 to 1', (n) => n >= 0 && n <= 1);
export const probability = number('a probability above 0, at most 1', (n) => n > 0 && n <= 1);
export const decay = number('a number from 0 to below 1', (n) => n >= 0 && n < 1);
export const flag = z.boolean({ error: 'true or false' });
export const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `one of ${values.join(', ')}` });
export const object = <T extends z.core.$ZodLooseShape>(shape: T) =>
  z.strictObject(shape, { error: (issue) => (issue.code === 'invalid_type' ? 'an object' : undefined) });
export const kinds = (values: readonly string[]) => ({
  error: (issue: { readonly code: string }) =>
    issue.code === 'invalid_type' ? 'an object with "kind"' : `one of ${values.join(', ')}`,
});

export const byDim = <T>(value: z.ZodType<T>, expected: string) =>
  z.record(z.string(), value, { error: expected }).superRefine((record, ctx) => {
    for (const key of Object.keys(record))
      if (!(DIMENSIONS as readonly string[]).includes(key))
        ctx.addIssue({
          code: 'custom',
          path: [key],
          message: `a dimension (${DIMENSIONS.join(', ')})`,
          params: { key },
        });
  });

export const matching = (pattern: RegExp, error: string) => z.string({ error }).regex(pattern, { error });
