import { z } from 'zod';
import { type Shape3, voxelCount } from '../volume/volume.ts';

/** Voxels at most along an axis. Beyond, a header is damaged. */
const mostAlong = 2 ** 16;

/** The schema of a shape whose voxels are at most so many. */
export function shapeOfAtMost(most: number): z.ZodType<Shape3> {
  const error = `voxels along depth, height and width: three whole numbers of at least 1 and at most ${mostAlong}, with a product of at most ${most}`;
  return z.custom<Shape3>(
    (value) =>
      Array.isArray(value) &&
      value.length === 3 &&
      value.every((n) => Number.isInteger(n) && n >= 1 && n <= mostAlong) &&
      voxelCount(value as unknown as Shape3) <= most,
    { error },
  );
}
