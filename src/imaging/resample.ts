import { addScaled, axisTaps, PlaneResampler, type ResampleTarget, resampledGrid } from './resample-taps.ts';
import { type Volume, voxelCount } from './volume.ts';

/**
 * An image at another shape or spacing: linear along axes that grow, antialiased along axes that shrink (the
 * filter is axisTaps), the field of view kept edge to edge. The result is float32, in the image's own unit.
 * Beside input and output it needs only the few planes that one output plane reads.
 */
export function resampleImage(image: Volume, target: ResampleTarget): Volume<Float32Array> {
  const grid = resampledGrid(image, target);
  const out = new Float32Array(voxelCount(grid.shape));
  const [depthTaps, rows, columns] = image.shape.map((n, axis) => axisTaps(n, grid.shape[axis]));
  const plane = new PlaneResampler(rows, columns);
  const inPlane = rows.inSize * columns.inSize;
  const outPlane = rows.outSize * columns.outSize;
  const staging = new Float32Array(inPlane);
  const ready = new Map<number, Float32Array>();
  const free: Float32Array[] = [];

  const planeAt = (k: number): Float32Array => {
    const known = ready.get(k);
    if (known !== undefined) return known;
    const fresh = free.pop() ?? new Float32Array(outPlane);
    staging.set(image.data.subarray(k * inPlane, (k + 1) * inPlane));
    plane.resample(staging, fresh);
    ready.set(k, fresh);
    return fresh;
  };

  for (let o = 0; o < depthTaps.outSize; o++) {
    const first = depthTaps.first[o];
    for (const [k, used] of ready) {
      if (k < first) {
        ready.delete(k);
        free.push(used);
      }
    }
    for (let t = 0; t < depthTaps.count[o]; t++) {
      const weight = depthTaps.weights[o * depthTaps.most + t];
      addScaled(out, o * outPlane, planeAt(first + t), 0, outPlane, weight);
    }
  }
  return { data: out, ...grid };
}
