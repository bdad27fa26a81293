import { z } from 'zod';
import { FLIP_AXES } from '../choices.ts';
import { MOST_SIZE } from '../limits.ts';

// The schema of what a config says of nnU-Net's way to segment.

const size = z
  .number({ error: 'a whole number' })
  .refine((n) => Number.isSafeInteger(n) && n >= 1 && n <= MOST_SIZE, {
    error: `a whole number of at least 1 and at most ${MOST_SIZE}`,
  });
const order = z.union([z.literal(0), z.literal(1), z.literal(3)], { error: '0, 1 or 3' });
const resampling = z.strictObject(
  {
    order,
    orderAcross: order,
    separate: z.boolean({ error: 'true or false' }).optional(),
  },
  { error: 'an object with "order" and "orderAcross"' },
);

/** How scans are prepared and segmented as nnU-Net does it. */
export const nnunetSchema = z.strictObject(
  {
    order: z.enum(['file', 'ras'], { error: 'file or ras' }),
    patch: z.tuple([size, size, size], {
      error: 'voxels along depth, height and width, such as [96, 128, 128]',
    }),
    step: z
      .number({ error: 'a share' })
      .refine((n) => n > 0 && n <= 1, { error: 'a share above 0, at most 1' }),
    mirror: z.array(z.enum(FLIP_AXES, { error: `one of ${FLIP_AXES.join(', ')}` }), {
      error: 'a list of axes',
    }),
    image: resampling,
    scores: resampling,
  },
  { error: 'an object with order, patch, step, mirror, image and scores' },
);
