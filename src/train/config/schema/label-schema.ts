import { z } from 'zod';
import { classNamesProblem } from '../../../imaging/index.ts';

// What a config says of labels, as the data set has it.

const value = (least: number, error: string) =>
  z.number({ error }).refine((n) => Number.isInteger(n) && n >= least && n < 256, { error });

export const classNames = z
  .array(z.string({ error: 'a text' }).min(1, { error: 'a text that is not empty' }), {
    error: 'a list of names',
  })
  .min(2, { error: 'at least two names' })
  .superRefine((names, ctx) => {
    const problem = classNamesProblem(names);
    if (problem === undefined) return;
    const message = 'one name for each of the label values 0, 1, 2...';
    ctx.addIssue({ code: 'custom', message: `${message} (not ${problem})` });
  });

export const classValues = z
  .array(value(0, 'a value from 0 to 255'), { error: 'values of label maps, one for each class' })
  .min(2);

export const labelMapping = z
  .record(
    z.string(),
    z.union([value(0, 'a value'), z.literal('ignore')], { error: 'a value from 0 to 255, or "ignore"' }),
    {
      error: 'values of label maps by what they stand for, such as {"4": 3, "9": "ignore"}',
    },
  )
  .superRefine((mapping, ctx) => {
    for (const key of Object.keys(mapping))
      if (!/^\d{1,3}$/.test(key) || Number(key) > 255 || `${Number(key)}` !== key)
        ctx.addIssue({ code: 'custom', path: [key], message: 'a value from 0 to 255', params: { key } });
  });

const region = 'regions such as {"name": "core", "classes": [2, 3], "written": 2}';
const cls = value(1, 'a class from 1 to 255');

export const labelRegions = z
  .array(
    z
      .strictObject(
        {
          name: z.string({ error: 'a text' }),
          classes: z.array(cls, { error: 'classes' }).min(1),
          written: cls,
        },
        { error: (issue) => (issue.code === 'invalid_type' ? region : undefined) },
      )
      .refine(({ classes, written }) => classes.includes(written), {
        error: 'a region that is written with one of its classes',
      }),
    { error: `a list of ${region}` },
  )
  .min(1, { error: 'at least one region' })
  .superRefine((regions, ctx) => {
    const problem = classNamesProblem(['background', ...regions.map(({ name }) => name)]);
    if (problem !== undefined)
      ctx.addIssue({ code: 'custom', message: `one name for each region (not ${problem})` });
  });
