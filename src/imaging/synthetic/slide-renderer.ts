import { hash32, RandomStream, randomKey } from '../../core/index.ts';
import { addNuclei, type SlideBox } from './slide-nuclei.ts';
import { type Distances, fade, latticeAt, mix, SlidePlan, type SlidePlanOptions } from './slide-plan.ts';
import { labelOf, type Zone, zoneOf } from './slide-zones.ts';

// Light through a stained section: what is left of it is exp(-optical density), and the densities of haematoxylin and eosin add up.
// Their absorption of red, green and blue is that of Ruifrok and Johnston, "Quantification of histochemical staining by color
// deconvolution", Analytical and Quantitative Cytology and Histology 23 (2001).
const HAEMATOXYLIN = [0.65, 0.704, 0.286] as const;
const EOSIN = [0.072, 0.99, 0.105] as const;

/** Densities of what is no nucleus, and how much fibres change the eosin. */
interface Stain {
  readonly blue: number;
  readonly pink: number;
  readonly change: number;
}

const STAINS: Readonly<Record<Zone, Stain>> = {
  glass: { blue: 0, pink: 0, change: 0 },
  capsule: { blue: 0.1, pink: 0.85, change: 0.15 },
  cleft: { blue: 0, pink: 0.05, change: 0 },
  focus: { blue: 0.2, pink: 0.22, change: 0.05 },
  epithelium: { blue: 0.25, pink: 0.4, change: 0.08 },
  lumen: { blue: 0, pink: 0.04, change: 0 },
  stroma: { blue: 0.05, pink: 0.42, change: 0.25 },
};

/** Steps of density in tables of what is left of the light, and the densest. */
const STEPS = 256;
const DENSEST = 4;

/** Microns between the places where distances are worked out; between them they are interpolated. */
const LATTICE = 4;

export interface SlideOptions extends SlidePlanOptions {
  /** Microns from pixel to pixel. */
  readonly mpp: number;
}

/** Distances at the corners of a lattice that begins at a multiple of its step, whatever the box. */
interface Lattice {
  readonly step: number;
  readonly row: number;
  readonly col: number;
  readonly cols: number;
  readonly values: Readonly<Record<keyof Distances, Float32Array>>;
}

const KEYS = ['tissue', 'gland', 'focus', 'tumour'] as const;

/** Draws boxes of one synthetic slide. A pixel depends on the options and its place alone, so any box can be drawn by itself. */
export class SlideRenderer {
  private readonly plan: SlidePlan;
  private readonly mpp: number;
  private readonly keys: { readonly nuclei: number; readonly fibres: number; readonly grain: number };
  private readonly white: number;
  /** What is left of light of each colour behind a density of haematoxylin, and of eosin. */
  private readonly left: readonly { readonly first: Float32Array; readonly second: Float32Array }[];

  constructor(options: SlideOptions) {
    const { seed, index, mpp } = options;
    this.plan = new SlidePlan(options);
    this.mpp = mpp;
    const random = new RandomStream(seed, index, 31);
    this.keys = {
      nuclei: randomKey(seed, index, 32),
      fibres: randomKey(seed, index, 33),
      grain: randomKey(seed, index, 34),
    };
    // Stains and lamps differ from slide to slide.
    this.white = random.between(236, 248);
    const [blue, pink] = [random.between(0.85, 1.2), random.between(0.8, 1.2)];
    const table = (strength: number): Float32Array =>
      Float32Array.from({ length: STEPS * DENSEST }, (_, n) => Math.exp((-strength * n) / STEPS));
    this.left = [0, 1, 2].map((colour) => ({
      first: table(2 * blue * HAEMATOXYLIN[colour]),
      second: table(pink * EOSIN[colour]),
    }));
  }

  /** Red, green and blue of a box, pixel by pixel, and its classes. */
  render(box: SlideBox, rgb: Uint8Array, labels: Uint8Array): void {
    const lattice = this.lattice(box);
    const glass = Math.round(this.white);
    if (lattice.values.tissue.every((distance) => distance > 0)) {
      rgb.fill(glass);
      labels.fill(0);
      return;
    }
    const { mpp } = this;
    const nuclei = new Float32Array(box.rows * box.cols);
    addNuclei(this.plan, this.keys.nuclei, box, mpp, nuclei);
    const row = () => new Float32Array(lattice.cols);
    const fibres = [new Float32Array(box.cols), new Float32Array(box.cols)];
    const rows = { tissue: row(), gland: row(), focus: row(), tumour: row() };
    const here: Distances = { tissue: 0, gland: 0, focus: 0, tumour: 0 };
    for (let r = 0, n = 0; r < box.rows; r++) {
      acrossRow(lattice, box.row + r, rows);
      this.fibresOf(box.row + r, box, 24, 7, this.keys.fibres, fibres[0]);
      this.fibresOf(box.row + r, box, 8, 30, this.keys.fibres + 1, fibres[1]);
      const rowKey = hash32((box.row + r) ^ this.keys.grain);
      for (let c = 0; c < box.cols; c++, n++) {
        const at = (box.col + c) / lattice.step - lattice.col;
        const left = Math.floor(at);
        const part = at - left;
        here.tissue = mix(rows.tissue[left], rows.tissue[left + 1], part);
        here.gland = mix(rows.gland[left], rows.gland[left + 1], part);
        here.focus = mix(rows.focus[left], rows.focus[left + 1], part);
        here.tumour = mix(rows.tumour[left], rows.tumour[left + 1], part);
        labels[n] = labelOf(here);
        const zone = zoneOf(here);
        if (zone === 'glass') {
          rgb[3 * n] = rgb[3 * n + 1] = rgb[3 * n + 2] = glass;
          continue;
        }
        const { blue, pink, change } = STAINS[zone];
        const dark = zone === 'cleft' || zone === 'lumen' ? 0 : Math.min(1.3, nuclei[n]);
        const eosin = pink + change * (fibres[0][c] + fibres[1][c]);
        this.colour(rgb, 3 * n, blue + dark, eosin, hash32(rowKey + box.col + c));
      }
    }
  }

  /** Stores what is left of the light, with noise of the camera. */
  private colour(rgb: Uint8Array, at: number, haematoxylin: number, eosin: number, bits: number): void {
    const blue = Math.min(STEPS * DENSEST - 1, Math.floor(haematoxylin * STEPS));
    const pink = Math.min(STEPS * DENSEST - 1, Math.max(0, Math.floor(eosin * STEPS)));
    for (let colour = 0; colour < 3; colour++) {
      const { first, second } = this.left[colour];
      const noise = (((bits >>> (8 * colour)) & 255) - 127.5) / 42;
      rgb[at + colour] = Math.min(
        255,
        Math.max(0, Math.round(this.white * first[blue] * second[pink] + noise)),
      );
    }
  }

  private lattice({ row, col, rows, cols }: SlideBox): Lattice {
    const step = Math.max(1, Math.round(LATTICE / this.mpp));
    const [firstRow, firstCol] = [Math.floor(row / step), Math.floor(col / step)];
    const down = Math.floor((row + rows - 1) / step) + 2 - firstRow;
    const along = Math.floor((col + cols - 1) / step) + 2 - firstCol;
    const of = () => new Float32Array(down * along);
    const values = { tissue: of(), gland: of(), focus: of(), tumour: of() };
    const found: Distances = { tissue: 0, gland: 0, focus: 0, tumour: 0 };
    for (let r = 0, n = 0; r < down; r++)
      for (let c = 0; c < along; c++, n++) {
        const at = (index: number): number => (index * step + 0.5) * this.mpp;
        this.plan.at(at(firstCol + c), at(firstRow + r), found);
        for (const key of KEYS) values[key][n] = found[key];
      }
    return { step, row: firstRow, col: firstCol, cols: along, values };
  }

  /** Smooth random numbers along a row of pixels, -0.5 to 0.5, which change over so many microns along it and down. */
  private fibresOf(
    row: number,
    { col, cols }: SlideBox,
    along: number,
    down: number,
    key: number,
    out: Float32Array,
  ): void {
    const y = ((row + 0.5) * this.mpp) / down;
    const line = Math.floor(y);
    const part = fade(y - line);
    const at = (column: number): number =>
      mix(latticeAt(key, column, line), latticeAt(key, column, line + 1), part) / 2;
    let last = Number.NaN;
    let [low, high] = [0, 0];
    for (let c = 0; c < cols; c++) {
      const x = ((col + c + 0.5) * this.mpp) / along;
      const column = Math.floor(x);
      if (column !== last) {
        [low, high] = [at(column), at(column + 1)];
        last = column;
      }
      out[c] = mix(low, high, fade(x - column));
    }
  }
}

/** Distances along a row of pixels, at the columns of the lattice. */
function acrossRow({ step, row: first, cols, values }: Lattice, row: number, out: Lattice['values']): void {
  const at = row / step - first;
  const upper = Math.floor(at);
  const part = at - upper;
  for (const key of KEYS)
    for (let c = 0; c < cols; c++)
      out[key][c] = mix(values[key][upper * cols + c], values[key][(upper + 1) * cols + c], part);
}
