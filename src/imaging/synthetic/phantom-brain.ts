import { fillNormalPairs, RandomStream, randomKey } from '../../core/index.ts';
import { type SmoothNoise, smoothNoise } from './phantom-anatomy.ts';
import type { PhantomGrid } from './phantom-slice.ts';

// A head in magnetic resonance with a tumour as BraTS has it: only the brain is there, all else is 0. A tumour is a core of dead and
// solid tissue, a rim around it that takes up the agent, and oedema around both.

/** Values of the label maps: parts of a tumour that do not overlap, and voxels that nobody labelled. */
export const BRAIN_LABELS = { oedema: 1, core: 2, enhancing: 3, ignore: 4 } as const;

/** Regions of them, each over the ones before it. */
export const BRAIN_REGIONS = [
  { name: 'whole tumour', values: [1, 2, 3], value: 1 },
  { name: 'tumour core', values: [2, 3], value: 2 },
  { name: 'enhancing tumour', values: [3], value: 3 },
] as const;

/** The field of view in mm that a head takes. */
export const headMm = 192;

/** Tissues in the order of the tables below. */
const [AIR, FLUID, GREY, WHITE, OEDEMA, CORE, RIM] = [0, 1, 2, 3, 4, 5, 6];
const LABEL_OF = [0, 0, 0, 0, BRAIN_LABELS.oedema, BRAIN_LABELS.core, BRAIN_LABELS.enhancing];

/** Brightness of the tissues in T1, T1 with agent, T2 and FLAIR, of the brightest as 1. */
const BRIGHTNESS: readonly (readonly number[])[] = [
  [0, 0.25, 0.6, 0.85, 0.5, 0.4, 0.55],
  [0, 0.25, 0.6, 0.85, 0.52, 0.4, 1],
  [0, 1, 0.6, 0.45, 0.8, 0.9, 0.7],
  [0, 0.2, 0.6, 0.5, 0.95, 0.75, 0.8],
];

interface Tumour {
  readonly centre: readonly [x: number, y: number, z: number];
  /** mm to the outer side of the rim. */
  readonly radius: number;
  readonly rim: number;
  readonly oedema: number;
  readonly shift: number;
}

/** Draws the slices of one head, in as many channels as wanted, one after the other. */
export class BrainRenderer {
  private readonly grid: PhantomGrid;
  private readonly noise: SmoothNoise;
  private readonly key: number;
  private readonly radii: readonly [x: number, y: number, z: number];
  private readonly tumours: readonly Tumour[];
  private readonly channels: readonly { readonly gain: number; readonly shade: number }[];
  /** For each slice whether nobody labelled it. */
  private readonly unlabelled: readonly boolean[];
  private grain = new Float32Array(0);

  /** `ignore`: about a quarter of the slices has no labels. */
  constructor(
    grid: PhantomGrid,
    { seed, index, channels, ignore }: { seed: number; index: number; channels: number; ignore: boolean },
  ) {
    const random = new RandomStream(seed, index, 6);
    this.grid = grid;
    this.key = randomKey(seed, index, 7);
    this.noise = smoothNoise(randomKey(seed, index, 8));
    const size = random.between(0.94, 1.06);
    this.radii = [
      size * random.between(62, 68),
      size * random.between(76, 82),
      size * random.between(58, 64),
    ];
    const voxel = Math.max(...grid.step);
    this.tumours = Array.from({ length: random.chance(0.25) ? 2 : 1 }, () => this.tumour(random, voxel));
    this.channels = Array.from({ length: channels }, () => ({
      gain: random.between(300, 1500),
      shade: random.between(0.03, 0.1),
    }));
    // The slice through the first tumour is labelled.
    const shown = Math.round(this.tumours[0].centre[2] / grid.step[0] + (grid.shape[0] - 1) / 2);
    this.unlabelled = Array.from(
      { length: grid.shape[0] },
      (_, k) => random.chance(0.25) && ignore && k !== shown,
    );
  }

  /** Writes slice k: a channel each, and the labels. */
  render(k: number, out: readonly Int16Array[], labels: Uint8Array): void {
    const [, height, width] = this.grid.shape;
    const z = this.at(0, k);
    const tissues = new Uint8Array(height * width);
    for (let n = 0; n < tissues.length; n++) {
      tissues[n] = this.tissue(this.at(2, n % width), this.at(1, Math.floor(n / width)), z);
      labels[n] = this.unlabelled[k] ? BRAIN_LABELS.ignore : LABEL_OF[tissues[n]];
    }
    if (this.grain.length !== tissues.length) this.grain = new Float32Array(tissues.length);
    for (const [channel, { gain, shade }] of this.channels.entries()) {
      fillNormalPairs(this.grain, randomKey(this.key, channel, k), 0.04 * gain);
      for (let n = 0; n < tissues.length; n++) {
        const [x, y] = [this.at(2, n % width), this.at(1, Math.floor(n / width))];
        const field = 1 + shade * this.noise(x / 90 + 5.3, y / 90 + channel, z / 90);
        const signal = gain * field * BRIGHTNESS[channel][tissues[n]] + this.grain[n];
        // Nothing but the brain is there, and the size of a complex signal is no zero.
        out[channel][n] = tissues[n] === AIR ? 0 : Math.max(1, Math.round(Math.abs(signal)));
      }
    }
  }

  private at(axis: 0 | 1 | 2, index: number): number {
    return (index - (this.grid.shape[axis] - 1) / 2) * this.grid.step[axis];
  }

  private tissue(x: number, y: number, z: number): number {
    const [a, b, c] = this.radii;
    const inside = 1 - Math.hypot(x / a, y / b, z / c);
    if (inside < 0) return AIR;
    const found = Math.max(AIR, ...this.tumours.map((one) => this.partOf(one, x, y, z)));
    if (found !== AIR) return found;
    const chambers = Math.hypot((Math.abs(x) - 12) / 8, y / 26, (z - 4) / 12);
    if (chambers < 1) return FLUID;
    return inside < 0.12 + 0.08 * this.noise(x / 14, y / 14, z / 14) ? GREY : WHITE;
  }

  /** The part of a tumour at a place, or air beside it. */
  private partOf({ centre, radius, rim, oedema, shift }: Tumour, x: number, y: number, z: number): number {
    const round = Math.hypot(x - centre[0], y - centre[1], z - centre[2]);
    const cell = 0.8 * radius;
    const dent = this.noise(x / cell + shift, y / cell, z / cell);
    const beyond = round - radius * (1 + 0.2 * dent);
    if (beyond > oedema * (1 + 0.4 * dent)) return AIR;
    if (beyond > 0) return OEDEMA;
    return beyond > -rim ? RIM : CORE;
  }

  /** No part of it is thinner than a voxel of `voxel` mm. */
  private tumour(random: RandomStream, voxel: number): Tumour {
    const rim = Math.max(random.between(3, 6), 1.1 * voxel);
    const radius = Math.max(random.between(14, 24), rim + 1.2 * voxel);
    const centre = this.radii.map((mm) => random.between(-0.5, 0.5) * mm);
    const oedema = Math.max(random.between(6, 14), 1.1 * voxel);
    return { centre: [centre[0], centre[1], centre[2]], radius, rim, oedema, shift: random.between(0, 32) };
  }
}
