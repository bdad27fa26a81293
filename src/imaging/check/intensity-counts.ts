/** Percentiles that a fingerprint tells. */
export const percentiles = [0.5, 5, 25, 50, 75, 95, 99.5] as const;

/** What is known of the intensities of some voxels. */
export interface Intensities {
  readonly mean: number;
  /** Of the voxels themselves: divided by their number. */
  readonly std: number;
  /** By percentile: "0.5", "5", ... */
  readonly percentiles: Readonly<Record<string, number>>;
}

/** Whole numbers in this range are counted one by one. */
const [from, to] = [-32768, 65536];

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** How often each value occurs. */
export interface IntensityCounts {
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
  /** Values and how often they were counted, rising. */
  readonly values: readonly (readonly [value: number, count: number])[];
}

/**
 * Counts values, so that percentiles of any number of voxels take little memory and counts of several scans can be put together.
 * Whole numbers of 16 bits, so all of CT, are exact; others are rounded to 13 binary digits (1 part in 16,384). Mean and standard
 * deviation are of the values as they are.
 */
export class IntensityCounter {
  readonly #whole = new Float64Array(to - from);
  readonly #other = new Map<number, number>();
  #count = 0;
  #sum = 0;
  #squares = 0;

  add(value: number): void {
    this.#count++;
    this.#sum += value;
    this.#squares += value * value;
    if (value >= from && value < to && Number.isInteger(value)) {
      this.#whole[value - from]++;
      return;
    }
    const near = rounded(value);
    this.#other.set(near, (this.#other.get(near) ?? 0) + 1);
  }

  /** What was counted until now. */
  counts(): IntensityCounts {
    const values: [number, number][] = [...this.#other];
    this.#whole.forEach((count, n) => {
      if (count > 0) values.push([n + from, count]);
    });
    values.sort(([a], [b]) => a - b);
    return { count: this.#count, sum: this.#sum, squares: this.#squares, values };
  }
}

/** All of several counts. */
export function mergeCounts(all: readonly IntensityCounts[]): IntensityCounts {
  const merged = new Map<number, number>();
  for (const { values } of all) {
    for (const [value, count] of values) merged.set(value, (merged.get(value) ?? 0) + count);
  }
  const total = (pick: (counts: IntensityCounts) => number) => all.reduce((sum, one) => sum + pick(one), 0);
  return {
    count: total(({ count }) => count),
    sum: total(({ sum }) => sum),
    squares: total(({ squares }) => squares),
    values: [...merged].sort(([a], [b]) => a - b),
  };
}

/** Mean, standard deviation and percentiles; undefined where nothing was counted. */
export function summaryOf(counts: IntensityCounts): Intensities | undefined {
  if (counts.count === 0) return undefined;
  const mean = counts.sum / counts.count;
  const std = Math.sqrt(Math.max(0, counts.squares / counts.count - mean * mean));
  const at = percentiles.map((p) => [String(p), percentile(counts, p)] as const);
  return { mean, std, percentiles: Object.fromEntries(at) };
}

/** Between two values it lies on the straight line, as NumPy has it by default. */
function percentile(counts: IntensityCounts, p: number): number {
  const rank = (p / 100) * (counts.count - 1);
  const lower = valueAt(counts, Math.floor(rank));
  const upper = valueAt(counts, Math.ceil(rank));
  return lower + (rank - Math.floor(rank)) * (upper - lower);
}

/** The value of rank n (from 0) among all that were counted. */
function valueAt({ values }: IntensityCounts, n: number): number {
  let before = 0;
  for (const [value, count] of values) {
    before += count;
    if (n < before) return value;
  }
  return values[values.length - 1][0];
}

/** To the nearest number with 13 binary digits behind the point of its mantissa. */
function rounded(value: number): number {
  float[0] = value;
  bits[0] = (bits[0] + 0x200) & ~0x3ff;
  return float[0];
}
