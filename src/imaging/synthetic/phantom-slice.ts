import { fillNormalPairs, randomKey } from '../../core/index.ts';
import type { Shape3 } from '../volume/volume.ts';
import type { Anatomy, Part } from './phantom-anatomy.ts';
import type { ContrastRenderer } from './phantom-contrasts.ts';

/** Where the voxels of a phantom lie in the anatomy's mm. */
export interface PhantomGrid {
  readonly shape: Shape3;
  /** Distance between voxels in the anatomy's mm along depth, height, width. */
  readonly step: Shape3;
}

/** Draws the slices of one synthetic patient, one after the other, into the same buffers. */
export class SliceRenderer {
  readonly #anatomy: Anatomy;
  readonly #grid: PhantomGrid;
  readonly #noiseKey: number;
  readonly #hu: Float32Array;
  readonly #grain: Float32Array;
  /** Distance to the inner side of the abdominal wall in mm, negative inside. */
  readonly #cavity: Float32Array;
  /** How far surfaces are blurred, in mm: a voxel holds part of each side. */
  readonly #edge: number;

  constructor(anatomy: Anatomy, grid: PhantomGrid, noiseKey: number) {
    const plane = grid.shape[1] * grid.shape[2];
    this.#anatomy = anatomy;
    this.#grid = grid;
    this.#noiseKey = noiseKey;
    this.#hu = new Float32Array(plane);
    this.#grain = new Float32Array(plane);
    this.#cavity = new Float32Array(plane);
    this.#edge = Math.max(...grid.step);
  }

  /** Writes slice k: HU as int16, -1024 to 3071, and labels 0 background, 1 liver, 2 tumour. */
  render(k: number, hu: Int16Array, labels: Uint8Array): void {
    this.#paint(k, labels);
    fillNormalPairs(this.#grain, randomKey(this.#noiseKey, k), this.#anatomy.sigma);
    for (let n = 0; n < hu.length; n++) {
      hu[n] = Math.min(3071, Math.max(-1024, Math.round(this.#hu[n] + this.#grain[n])));
    }
  }

  /** Writes slice k as the channels of magnetic resonance show it, and the same labels. */
  renderContrasts(
    k: number,
    contrasts: readonly ContrastRenderer[],
    out: readonly Int16Array[],
    labels: Uint8Array,
  ): void {
    this.#paint(k, labels);
    const [, , width] = this.#grid.shape;
    const z = this.#z(k);
    const at = (n: number) => [this.#x(n % width), this.#y(Math.floor(n / width)), z] as const;
    for (const [channel, contrast] of contrasts.entries()) contrast.render(k, this.#hu, at, out[channel]);
  }

  /** The Hounsfield units of slice k without noise, and its labels. */
  #paint(k: number, labels: Uint8Array): void {
    const z = this.#z(k);
    labels.fill(0);
    this.#paintBody(z);
    for (const part of this.#anatomy.parts) {
      if (z >= part.low[2] - this.#edge && z <= part.high[2] + this.#edge) this.#paintPart(part, z, labels);
    }
  }

  /** Air, skin, fat, the wall with its ribs, and what fills the space between the organs. */
  #paintBody(z: number): void {
    const { halfWidth, halfHeight, fat, wall } = this.#anatomy;
    const [, height, width] = this.#grid.shape;
    for (let j = 0; j < height; j++) {
      const y = this.#y(j);
      for (let i = 0; i < width; i++) {
        const x = this.#x(i);
        const n = j * width + i;
        const outside = (Math.hypot(x / halfWidth, y / halfHeight) - 1) * halfHeight;
        const cavity = outside + fat + wall;
        this.#cavity[n] = cavity;
        if (outside > this.#edge) this.#hu[n] = -1000;
        else if (cavity < -this.#edge) this.#hu[n] = this.#filling(x, y, z);
        else {
          let value = cavity < 0 ? this.#filling(x, y, z) : this.#wall(cavity / wall, y, z);
          value = mix(value, -100, this.#inside(-(outside + fat)));
          value = mix(value, 30, this.#inside(-(outside + 2)));
          this.#hu[n] = mix(value, -1000, this.#inside(-outside));
        }
      }
    }
  }

  /** Muscle, and ribs that slope down to the front above the navel; `part` is 0 inside, 1 outside. */
  #wall(part: number, y: number, z: number): number {
    const along = z + 0.45 * y;
    const place = Math.abs(along - 27 * Math.round(along / 27));
    return z > -60 && place < 5 && part > 0.25 && part < 0.8 ? 380 : 55;
  }

  /** Fat with loops of bowel and some gas in them, below the organs of the upper belly. */
  #filling(x: number, y: number, z: number): number {
    if (z > 60 || y < -20) return -95;
    const value = this.#anatomy.noise(x / 26 + 7.3, y / 26, z / 26);
    if (value < 0.05) return -95;
    return value > 0.62 && y > 25 ? -850 : 30;
  }

  #paintPart(part: Part, z: number, labels: Uint8Array): void {
    const [, height, width] = this.#grid.shape;
    const [, stepY, stepX] = this.#grid.step;
    const reach = this.#edge;
    const index = (mm: number, step: number, extent: number) =>
      Math.min(extent, Math.max(0, Math.ceil(mm / step + (extent - 1) / 2)));
    const [fromI, toI] = [
      index(part.low[0] - reach, stepX, width),
      index(part.high[0] + reach, stepX, width),
    ];
    const [fromJ, toJ] = [
      index(part.low[1] - reach, stepY, height),
      index(part.high[1] + reach, stepY, height),
    ];
    const { noise } = this.#anatomy;
    for (let j = fromJ; j < toJ; j++) {
      const y = this.#y(j);
      for (let i = fromI; i < toI; i++) {
        const n = j * width + i;
        if (part.within === 'liver' && labels[n] === 0) continue;
        const x = this.#x(i);
        let distance = part.distance(x, y, z);
        if (part.within === 'cavity') distance = Math.max(distance, this.#cavity[n] + 2);
        const share = this.#inside(distance);
        if (share === 0) continue;
        const hu = part.hu + part.texture * noise(x / 6, y / 6, z / 6);
        this.#hu[n] = mix(this.#hu[n], hu, share);
        if (part.label !== undefined && distance <= 0) labels[n] = part.label;
      }
    }
  }

  /** The share of a voxel that lies inside a surface at this distance: 1 inside, 0 outside. */
  #inside(distance: number): number {
    return Math.min(1, Math.max(0, 0.5 - distance / this.#edge));
  }

  #z(k: number): number {
    return (k - (this.#grid.shape[0] - 1) / 2) * this.#grid.step[0];
  }

  #x(i: number): number {
    return (i - (this.#grid.shape[2] - 1) / 2) * this.#grid.step[2];
  }

  #y(j: number): number {
    return (j - (this.#grid.shape[1] - 1) / 2) * this.#grid.step[1];
  }
}

function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}
