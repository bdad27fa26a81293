import { scalingAffine } from './affine.ts';
import { fillNormal } from './random.ts';
import { resampleImage } from './resample.ts';
import { type Shape3, voxelCount } from './volume.ts';

/** image = clip(image * scale + shift, 0, 1), in place. */
export function scaleIntensity(image: Float32Array, scale: number, shift: number): void {
  for (let n = 0; n < image.length; n++) {
    const value = image[n] * scale + shift;
    image[n] = value < 0 ? 0 : value > 1 ? 1 : value;
  }
}

/**
 * Adds normal noise to an image [depth, height, width] in place and clips it to 0..1. With a grain above 1
 * the noise is drawn on a grid that much coarser and interpolated linearly.
 */
export function addNoise(
  image: Float32Array,
  shape: Shape3,
  grain: number,
  deviation: number,
  key: number,
): void {
  const coarse = (extent: number) => Math.ceil(extent / grain);
  const drawn: Shape3 = [coarse(shape[0]), coarse(shape[1]), coarse(shape[2])];
  const data = new Float32Array(voxelCount(drawn));
  fillNormal(data, key, deviation);
  const identity = scalingAffine([1, 1, 1]);
  const noise = grain === 1 ? data : resampleImage({ data, shape: drawn, affine: identity }, { shape }).data;
  for (let n = 0; n < image.length; n++) {
    const value = image[n] + noise[n];
    image[n] = value < 0 ? 0 : value > 1 ? 1 : value;
  }
}
