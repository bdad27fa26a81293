import { ImagingError } from '../volume/errors.ts';
import { canonicalGrid, fromCanonical, orientationOf, toCanonical } from '../volume/orientation.ts';
import { describeGrid, type Grid, sameGrid, type Volume, voxelCount } from '../volume/volume.ts';
import {
  type AxisTaps,
  addScaled,
  axisTaps,
  PlaneResampler,
  type ResampleTarget,
  resampledGrid,
} from './resample-taps.ts';

/** A class must lead by this much: votes are float32 sums, and a tie shall be a tie. */
const lead = 1e-5;

/**
 * A label map at another shape or spacing. Every class is filtered as its own 0/1 image with resampleImage's
 * filter (linear up, antialiased down), and each voxel takes the class with the largest share; a tie goes to
 * the lower class. No new classes arise between two others, and a class above 0 that would vanish altogether
 * keeps the one voxel where its share is largest, unless that is another class's last. Needs a few planes per class beside input and output.
 */
export function resampleLabels(labels: Volume<Uint8Array>, target: ResampleTarget): Volume<Uint8Array> {
  const grid = resampledGrid(labels, target);
  if (grid.shape.every((n, axis) => n === labels.shape[axis])) return labels;
  const out = new Uint8Array(voxelCount(grid.shape));
  const [depth, rows, columns] = labels.shape.map((n, axis) => axisTaps(n, grid.shape[axis]));
  keepLostClasses(out, voteLabels(labels, [depth, rows, columns], out));
  return { data: out, ...grid };
}

/** The voxel in which the share of a class is largest. */
interface Peak {
  readonly share: number;
  readonly voxel: number;
}

/**
 * Resamples labels by taps along (depth, height, width) into `out`, which is all 0, as resampleLabels does but for classes that vanish;
 * returns the largest share of each class.
 */
export function voteLabels(
  labels: Pick<Volume<Uint8Array>, 'data' | 'shape'>,
  [depthTaps, rows, columns]: readonly [AxisTaps, AxisTaps, AxisTaps],
  out: Uint8Array,
): ReadonlyMap<number, Peak> {
  const outPlane = rows.outSize * columns.outSize;
  const shares = new ClassPlanes(labels, new PlaneResampler(rows, columns), outPlane);
  const share = new Float32Array(outPlane);
  const taken = new Float32Array(outPlane);
  const best = new Float32Array(outPlane);
  const peaks = new Map<number, Peak>();

  for (let o = 0; o < depthTaps.outSize; o++) {
    const first = depthTaps.first[o];
    const count = depthTaps.count[o];
    const result = out.subarray(o * outPlane, (o + 1) * outPlane);
    shares.keepFrom(first);
    taken.fill(0);
    best.fill(0);
    // Class 0 is what the others leave, so it is never filtered itself.
    for (const label of shares.present(first, count)) {
      share.fill(0);
      for (let t = 0; t < count; t++) {
        const plane = shares.plane(first + t, label);
        if (plane) addScaled(share, 0, plane, 0, outPlane, depthTaps.weights[o * depthTaps.most + t]);
      }
      const peak = peaks.get(label) ?? { share: 0, voxel: 0 };
      const higher = vote(label, share, { taken, best, result }, peak.share);
      const voxel = o * outPlane + (higher ?? 0);
      peaks.set(label, higher === undefined ? peak : { share: share[higher], voxel });
    }
    for (let n = 0; n < outPlane; n++) {
      if (result[n] !== 0 && 1 - taken[n] >= best[n] - lead) result[n] = 0;
    }
  }
  return peaks;
}

/** The votes of a plane: what all classes took of each voxel, the best share so far, and whose it is. */
interface Votes {
  readonly taken: Float32Array;
  readonly best: Float32Array;
  readonly result: Uint8Array;
}

/** Adds the votes for a class; the first voxel of its largest share where that is above `peak`. */
function vote(
  label: number,
  share: Float32Array,
  { taken, best, result }: Votes,
  peak: number,
): number | undefined {
  let largest = peak;
  let place: number | undefined;
  for (let n = 0; n < share.length; n++) {
    const value = share[n];
    if (value === 0) continue;
    taken[n] += value;
    if (value > largest) {
      largest = value;
      place = n;
    }
    if (value > best[n] + lead) {
      best[n] = value;
      result[n] = label;
    }
  }
  return place;
}

/**
 * Brings a label map back to the grid that it was resampled from: any orientation, any shape, the same field
 * of view. Votes as resampleLabels does.
 * Throws ImagingError where the two do not cover the same part of the patient.
 */
export function resampleLabelsTo(labels: Volume<Uint8Array>, grid: Grid): Volume<Uint8Array> {
  const back = fromCanonical(resampleLabelsToCanonical(labels, grid), orientationOf(grid.affine));
  return { data: back.data, shape: grid.shape, affine: grid.affine };
}

/** As resampleLabelsTo, left in RAS+ order: on canonicalGrid(grid). */
export function resampleLabelsToCanonical(labels: Volume<Uint8Array>, grid: Grid): Volume<Uint8Array> {
  const canonical = toCanonical(labels).volume;
  const wanted = canonicalGrid(grid);
  const resampled = resampleLabels(canonical, { shape: wanted.shape });
  if (sameGrid(resampled, wanted)) return resampled;
  throw new ImagingError({
    field: 'labels',
    expected: `a label map over the field of view of ${describeGrid(grid)}`,
    found: describeGrid(labels),
  });
}

/** The classes' filtered planes of the input slices that the current output slice reads. */
class ClassPlanes {
  readonly #labels: Pick<Volume<Uint8Array>, 'data' | 'shape'>;
  readonly #resampler: PlaneResampler;
  readonly #outPlane: number;
  readonly #member: Float32Array;
  readonly #slices = new Map<number, Map<number, Float32Array>>();
  readonly #free: Float32Array[] = [];

  constructor(
    labels: Pick<Volume<Uint8Array>, 'data' | 'shape'>,
    resampler: PlaneResampler,
    outPlane: number,
  ) {
    this.#labels = labels;
    this.#resampler = resampler;
    this.#outPlane = outPlane;
    this.#member = new Float32Array(labels.shape[1] * labels.shape[2]);
  }

  /** Forgets slices below k. */
  keepFrom(k: number): void {
    for (const [slice, planes] of this.#slices) {
      if (slice >= k) continue;
      this.#free.push(...planes.values());
      this.#slices.delete(slice);
    }
  }

  /** The classes above 0 in slices first to first + count - 1, in rising order. */
  present(first: number, count: number): number[] {
    const found = new Set<number>();
    for (let k = first; k < first + count; k++) {
      for (const label of this.#planesOf(k).keys()) found.add(label);
    }
    return [...found].sort((a, b) => a - b);
  }

  /** The share of a class in slice k, [rows out, columns out]; undefined where it has none. */
  plane(k: number, label: number): Float32Array | undefined {
    return this.#planesOf(k).get(label);
  }

  #planesOf(k: number): Map<number, Float32Array> {
    const known = this.#slices.get(k);
    if (known !== undefined) return known;
    const member = this.#member;
    const slice = this.#labels.data.subarray(k * member.length, (k + 1) * member.length);
    const counts = new Uint32Array(256);
    for (let n = 0; n < slice.length; n++) counts[slice[n]]++;
    const planes = new Map<number, Float32Array>();
    for (let label = 1; label < 256; label++) {
      if (counts[label] === 0) continue;
      for (let n = 0; n < slice.length; n++) member[n] = slice[n] === label ? 1 : 0;
      const plane = this.#free.pop() ?? new Float32Array(this.#outPlane);
      this.#resampler.resample(member, plane);
      planes.set(label, plane);
    }
    this.#slices.set(k, planes);
    return planes;
  }
}

function keepLostClasses(out: Uint8Array, peaks: ReadonlyMap<number, Peak>): void {
  if ([...peaks.keys()].every((label) => out.includes(label))) return;
  const counts = new Float64Array(256);
  for (let n = 0; n < out.length; n++) counts[out[n]]++;
  for (const [label, { voxel }] of peaks) {
    const holder = out[voxel];
    // Not at the price of another class.
    if (counts[label] > 0 || (holder !== 0 && counts[holder] === 1)) continue;
    counts[holder]--;
    counts[label]++;
    out[voxel] = label;
  }
}
