import { addScaled, axisTaps, PlaneResampler, type ResampleTarget, resampledGrid } from './resample-taps.ts';
import { type Shape3, type Volume, voxelCount } from './volume.ts';

/**
 * An image at another shape or spacing: linear along axes that grow, antialiased along axes that shrink (the
 * filter is axisTaps), the field of view kept edge to edge. The result is float32, in the image's own unit.
 * Beside input and output it needs only the few planes that one output plane reads.
 */
export function resampleImage(image: Volume, target: ResampleTarget): Volume<Float32Array> {
  const grid = resampledGrid(image, target);
  const out = new Float32Array(voxelCount(grid.shape));
  resamplePlanes(image, grid.shape, (plane, k) => out.set(plane, k * plane.length));
  return { data: out, ...grid };
}

/** As resampleImage, plane by plane from k = 0: `visit` may change the plane, whose array is used again. */
export function resamplePlanes(
  image: Pick<Volume, 'data' | 'shape'>,
  shape: Shape3,
  visit: (plane: Float32Array, k: number) => void,
): void {
  const [depthTaps, rows, columns] = image.shape.map((n, axis) => axisTaps(n, shape[axis]));
  const resampler = new PlaneResampler(rows, columns);
  const inPlane = rows.inSize * columns.inSize;
  const outPlane = rows.outSize * columns.outSize;
  const out = new Float32Array(outPlane);
  const staging = new Float32Array(inPlane);
  const ready = new Map<number, Float32Array>();
  const free: Float32Array[] = [];

  const planeAt = (k: number): Float32Array => {
    const known = ready.get(k);
    if (known !== undefined) return known;
    const fresh = free.pop() ?? new Float32Array(outPlane);
    staging.set(image.data.subarray(k * inPlane, (k + 1) * inPlane));
    resampler.resample(staging, fresh);
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
    out.fill(0);
    for (let t = 0; t < depthTaps.count[o]; t++) {
      const weight = depthTaps.weights[o * depthTaps.most + t];
      addScaled(out, 0, planeAt(first + t), 0, outPlane, weight);
    }
    visit(out, o);
  }
}
