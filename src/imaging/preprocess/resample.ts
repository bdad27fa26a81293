import { type Shape3, type Volume, voxelCount } from '../volume/volume.ts';
import {
  type AxisTaps,
  addScaled,
  axisTaps,
  PlaneResampler,
  type ResampleTarget,
  resampledGrid,
} from './resample-taps.ts';

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
function resamplePlanes(
  image: Pick<Volume, 'data' | 'shape'>,
  shape: Shape3,
  visit: (plane: Float32Array, k: number) => void,
): void {
  const [depth, rows, columns] = image.shape.map((n, axis) => axisTaps(n, shape[axis]));
  const inPlane = rows.inSize * columns.inSize;
  const read = (k: number, into: Float32Array): void =>
    into.set(image.data.subarray(k * inPlane, (k + 1) * inPlane));
  let k = 0;
  for (const plane of resampledPlanes([depth, rows, columns], read)) visit(plane, k++);
}

/**
 * The planes that taps along (depth, height, width) make, one after the other, in an array that is used again and may be
 * changed. `read` gives the input plane k.
 */
export function* resampledPlanes(
  [depth, rows, columns]: readonly [AxisTaps, AxisTaps, AxisTaps],
  read: (k: number, into: Float32Array) => void,
): Generator<Float32Array, void> {
  const resampler = new PlaneResampler(rows, columns);
  const outPlane = rows.outSize * columns.outSize;
  const out = new Float32Array(outPlane);
  const staging = new Float32Array(rows.inSize * columns.inSize);
  const ready = new Map<number, Float32Array>();
  const free: Float32Array[] = [];

  const planeAt = (k: number): Float32Array => {
    const known = ready.get(k);
    if (known !== undefined) return known;
    const fresh = free.pop() ?? new Float32Array(outPlane);
    read(k, staging);
    resampler.resample(staging, fresh);
    ready.set(k, fresh);
    return fresh;
  };

  for (let o = 0; o < depth.outSize; o++) {
    const first = depth.first[o];
    for (const [k, used] of ready) {
      if (k < first) {
        ready.delete(k);
        free.push(used);
      }
    }
    out.fill(0);
    for (let t = 0; t < depth.count[o]; t++) {
      const weight = depth.weights[o * depth.most + t];
      addScaled(out, 0, planeAt(first + t), 0, outPlane, weight);
    }
    yield out;
  }
}
