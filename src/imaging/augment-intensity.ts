import { fillNormal } from './random.ts';
import { resamplePlanes } from './resample.ts';
import { type Shape3, voxelCount } from './volume.ts';

/** out = clip(image * scale + shift, 0, 1); `out` may be the image itself. */
export function scaleIntensity(image: Float32Array, scale: number, shift: number, out: Float32Array): void {
  for (let n = 0; n < image.length; n++) {
    const value = image[n] * scale + shift;
    out[n] = value < 0 ? 0 : value > 1 ? 1 : value;
  }
}

/** Voxels that noise of single grains is drawn for at once; even, as normal numbers are drawn in pairs. */
const drawnAtOnce = 1 << 16;

/**
 * out = clip(image + normal noise, 0, 1), [depth, height, width]; `out` may be the image itself. With a grain above 1
 * the noise is drawn on a grid that much coarser and interpolated linearly.
 */
export function addNoise(
  image: Float32Array,
  shape: Shape3,
  { grain, deviation, key }: { readonly grain: number; readonly deviation: number; readonly key: number },
  out: Float32Array,
): void {
  if (grain === 1) {
    const noise = new Float32Array(Math.min(drawnAtOnce, image.length));
    for (let at = 0; at < image.length; at += noise.length) {
      const part = noise.subarray(0, image.length - at);
      fillNormal(part, key, deviation, at);
      addClipped(image, part, at, out);
    }
    return;
  }
  const coarse = (extent: number) => Math.ceil(extent / grain);
  const drawn: Shape3 = [coarse(shape[0]), coarse(shape[1]), coarse(shape[2])];
  const data = new Float32Array(voxelCount(drawn));
  fillNormal(data, key, deviation);
  resamplePlanes({ data, shape: drawn }, shape, (plane, k) =>
    addClipped(image, plane, k * plane.length, out),
  );
}

/** Adds `noise` to the voxels from `at` on. */
function addClipped(image: Float32Array, noise: Float32Array, at: number, out: Float32Array): void {
  for (let n = 0; n < noise.length; n++) {
    const value = image[at + n] + noise[n];
    out[at + n] = value < 0 ? 0 : value > 1 ? 1 : value;
  }
}
