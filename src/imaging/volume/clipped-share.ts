import { ImagingError } from './errors.ts';
import type { IntensityWindow } from './intensity-window.ts';
import type { VoxelArray } from './volume.ts';

/** Voxels that are looked at, spread over the image. */
const SAMPLE = 2 ** 18;

/** Above this share of clipped voxels within the body a window does not show the image. */
export const mostClipped = 0.5;
/**
 * The same where the values are Hounsfield units by all signs: then a narrow window is meant, such as one of bone, which leaves 3 to 7 %
 * of a trunk.
 */
const mostClippedOfCt = 0.98;
/** With this share of clipped voxels in all, air too, a window shows the image whatever the body is. */
const fewClipped = 0.2;
/** An image whose values take less than this share of the window looks the same everywhere. */
const leastSpan = 0.05;

/** What a window leaves of an image. */
export interface ClippedShare {
  /** Share of the voxels within the body that the window cuts off, 0 to 1. */
  readonly clipped: number;
  /** Whether the values are those of a CT with air around the body, in Hounsfield units. */
  readonly hounsfield: boolean;
  /** Width of the range of all values, of the width of the window. */
  readonly span: number;
  /** 0.5 and 99.5 % of all values: a range that would show the image. */
  readonly range: readonly [number, number];
}

/**
 * Looks at some voxels of an image as it is read, to tell what a window leaves of the body in it. Nothing is taken for granted of
 * the unit: the body is what is brighter than the best threshold between two classes (Otsu), which in CT lies between air and fat.
 * Padding darker than air would be a class of its own, and a field of view without air has none: of the ways to see it, the
 * mildest counts. Holds 1 MiB.
 */
export class IntensitySample {
  private readonly values: Float32Array;
  private readonly step: number;
  private count = 0;
  /** Voxels until the next one that is looked at. */
  private wait = 0;

  /** For so many voxels altogether; `width` is that of a row, so that not the same columns are looked at in each. */
  constructor(voxels: number, width: number) {
    let step = Math.max(1, Math.ceil(voxels / SAMPLE));
    if (step > 1) while (commonDivisor(step, width) > 1) step++;
    this.step = step;
    this.values = new Float32Array(Math.ceil(voxels / step));
  }

  /** The next voxels, in any pieces. */
  take(voxels: VoxelArray): void {
    let n = this.wait;
    for (; n < voxels.length && this.count < this.values.length; n += this.step) {
      const value = voxels[n];
      if (Number.isFinite(value)) this.values[this.count++] = value;
    }
    this.wait = Math.max(0, n - voxels.length);
  }

  /** What a window leaves; undefined where there is no image: no voxel, or one value everywhere. */
  share(window: IntensityWindow): ClippedShare | undefined {
    const sorted = this.values.slice(0, this.count).sort();
    const last = sorted.length - 1;
    if (last < 0 || sorted[0] === sorted[last]) return undefined;
    const at = (share: number) => sorted[Math.round(share * last)];
    const range = [at(0.005), at(0.995)] as const;
    const above = sorted.subarray(firstAbove(sorted, sorted[0]));
    // One value below all others is padding, or air that was cut off.
    const padded = sorted.length - above.length > 0.01 * sorted.length;
    const rest = padded ? above : sorted;
    const all = clippedOf(rest, window);
    const ways = padded ? [sorted, above] : [sorted];
    const clippedOfBody = () => Math.min(...ways.map((values) => clippedOf(bodyOf(values), window)));
    const clipped = all <= fewClipped ? all : clippedOfBody();
    const span = (sorted[last] - sorted[0]) / (window.upper - window.lower);
    return { clipped, hounsfield: isHounsfield(sorted), span, range };
  }

  /** Throws ImagingError where a window clips most of the body or leaves no contrast in it. `about`: whose voxels they are. */
  check(window: IntensityWindow, about: { readonly file: string; readonly id: string }): void {
    const share = this.share(window);
    const found = share && troubleWith(share);
    if (share === undefined || found === undefined) return;
    throw new ImagingError({
      file: about.file,
      field: `window ${windowText(window)} on case ${about.id}`,
      expected: 'one that shows the inside of the body',
      found,
      hint: windowHint(share),
    });
  }
}

/** What is wrong with a window, in words; undefined where it shows the image. */
export function troubleWith({ clipped, hounsfield, span }: ClippedShare): string | undefined {
  if (clipped > (hounsfield ? mostClippedOfCt : mostClipped))
    return `${percent(clipped)} of the voxels within the body outside of it`;
  if (span < leastSpan) return `values that take ${percent(span)} of its width`;
  return undefined;
}

/** What to do about it. */
export function windowHint({ range: [low, high] }: ClippedShare): string {
  return (
    `99 % of the values lie from ${short(low)} to ${short(high)}. Where these are Hounsfield units, widen the window; where they are ` +
    `not (MR, CT that was scaled or shifted), give a range of theirs, as --window=${short(low)},${short(high)}, or take --normalization zscore; in the config "window" or "normalization".`
  );
}

/** `-160..240` */
export const windowText = ({ lower, upper }: IntensityWindow): string => `${lower}..${upper}`;

const percent = (share: number): string => `${+(100 * share).toPrecision(3)} %`;
const short = (value: number): number => +value.toPrecision(3);

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/** How many of some rising values are no larger than a limit. */
function firstAbove(sorted: Float32Array, limit: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The share of rising values that lies outside of a window. */
function clippedOf(sorted: Float32Array, { lower, upper }: IntensityWindow): number {
  if (sorted.length === 0) return 0;
  const above = sorted.length - firstAbove(sorted, upper);
  let below = firstAbove(sorted, lower);
  while (below > 0 && sorted[below - 1] === lower) below--;
  return (below + above) / sorted.length;
}

/**
 * Whether rising values show air and tissue where Hounsfield units have them: some air, next to nothing below it but padding of one
 * value, and above the lungs a middle value of fat, water or muscle. MR and CT that was scaled or shifted do not.
 */
function isHounsfield(sorted: Float32Array): boolean {
  const count = sorted.length;
  const upTo = (hu: number) => firstAbove(sorted, hu);
  const padding = sorted[0] < AIR.least ? firstAbove(sorted, sorted[0]) : 0;
  const tissue = sorted.subarray(upTo(LUNG));
  const middle = tissue[tissue.length >> 1];
  return (
    upTo(AIR.least) - padding <= 0.05 * count &&
    upTo(AIR.most) - upTo(AIR.least) >= 0.02 * count &&
    tissue.length >= 0.02 * count &&
    middle >= TISSUE.least &&
    middle <= TISSUE.most
  );
}

/** Hounsfield units of air, of lung at most, and of the middle of a body. */
const AIR = { least: -1100, most: -850 } as const;
const LUNG = -500;
const TISSUE = { least: -150, most: 200 } as const;

/**
 * The brighter of the two classes that rising values fall into: the threshold with the largest variance between them. A few extreme
 * values, such as metal, count as the ones next to them.
 */
function bodyOf(sorted: Float32Array): Float32Array {
  const count = sorted.length;
  const [low, high] = [sorted[Math.round(0.005 * (count - 1))], sorted[Math.round(0.995 * (count - 1))]];
  const held = sorted.slice();
  held.fill(low, 0, firstAbove(sorted, low));
  held.fill(high, firstAbove(sorted, high));
  let total = 0;
  for (let n = 0; n < count; n++) total += held[n];
  let sum = 0;
  let best = 0;
  let most = -1;
  for (let n = 1; n < count; n++) {
    sum += held[n - 1];
    if (sorted[n] === sorted[n - 1]) continue;
    const gap = sum / n - (total - sum) / (count - n);
    const between = n * (count - n) * gap * gap;
    if (between > most) [best, most] = [n, between];
  }
  return sorted.subarray(best);
}
