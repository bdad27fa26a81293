import { fillNormalPairs, RandomStream, randomKey } from '../../core/index.ts';
import type { Anatomy } from './phantom-anatomy.ts';

// What magnetic resonance shows of a phantom: each channel is a curve over the Hounsfield units of its tissues, in units of the scanner
// that differ from scan to scan, with a smooth shade and noise.

/** Hounsfield units between which curves are straight: air, gas, lung, fat, water, lesion, liver, blood, spine, rib. */
const KNOTS = [-1000, -850, -600, -97, 0, 25, 60, 115, 190, 400] as const;

/** A sequence of a scanner. */
interface Contrast {
  readonly name: string;
  /** Brightness of the tissues at the knots, of the brightest as 1. */
  readonly curve: readonly number[];
}

/** Fat is bright in T1 and T2, fluid dark in T1 and FLAIR, and what takes up the agent bright in T1ce. */
const CONTRASTS: readonly Contrast[] = [
  { name: 'T1', curve: [0, 0.02, 0.1, 1, 0.2, 0.3, 0.5, 0.55, 0.3, 0.1] },
  { name: 'T1ce', curve: [0, 0.02, 0.1, 0.95, 0.2, 0.28, 0.55, 0.9, 0.35, 0.1] },
  { name: 'T2', curve: [0, 0.03, 0.12, 0.7, 1, 0.8, 0.4, 0.25, 0.3, 0.08] },
  { name: 'FLAIR', curve: [0, 0.02, 0.1, 0.6, 0.15, 0.75, 0.45, 0.3, 0.25, 0.08] },
];

/** Channels of a phantom at most. */
export const mostContrasts = CONTRASTS.length;

/** Names of the first channels. */
export const contrastNames = (channels: number): string[] =>
  CONTRASTS.slice(0, channels).map(({ name }) => name);

/** Draws the slices of one channel of one patient. */
export class ContrastRenderer {
  private readonly curve: readonly number[];
  private readonly noise: Anatomy['noise'];
  private readonly key: number;
  /** Brightness of the brightest tissue, in units of the scanner. */
  private readonly gain: number;
  private readonly shade: number;
  private grain = new Float32Array(0);

  /** `key`: of the random numbers of the patient. */
  constructor({ noise }: Anatomy, channel: number, key: number) {
    const random = new RandomStream(key, channel);
    this.curve = CONTRASTS[channel].curve;
    this.noise = noise;
    this.key = randomKey(key, channel, 1);
    this.gain = random.between(300, 1500);
    this.shade = random.between(0.05, 0.2);
  }

  /** Writes slice k, whose tissues have these Hounsfield units; `at` gives the place of a voxel in mm. */
  render(
    k: number,
    hu: Float32Array,
    at: (n: number) => readonly [number, number, number],
    out: Int16Array,
  ): void {
    if (this.grain.length !== hu.length) this.grain = new Float32Array(hu.length);
    fillNormalPairs(this.grain, randomKey(this.key, k), 0.03 * this.gain);
    for (let n = 0; n < hu.length; n++) {
      const [x, y, z] = at(n);
      const shade = 1 + this.shade * this.noise(x / 150 + 3.1, y / 150, z / 150);
      // The size of a complex signal.
      out[n] = Math.min(
        32767,
        Math.round(Math.abs(this.gain * shade * this.brightness(hu[n]) + this.grain[n])),
      );
    }
  }

  private brightness(hu: number): number {
    const { curve } = this;
    if (hu <= KNOTS[0]) return curve[0];
    for (let n = 1; n < KNOTS.length; n++)
      if (hu <= KNOTS[n]) {
        const part = (hu - KNOTS[n - 1]) / (KNOTS[n] - KNOTS[n - 1]);
        return curve[n - 1] + part * (curve[n] - curve[n - 1]);
      }
    return curve[curve.length - 1];
  }
}
