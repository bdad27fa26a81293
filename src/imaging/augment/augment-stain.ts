import { RandomStream } from '../../core/index.ts';
import type { IntensityRange } from '../volume/normalization.ts';
import type { AugmentConfig } from './augment-config.ts';
import type { AugmentKey } from './augment-draw.ts';

// Stains that are stronger or weaker than in the picture. Light that passes a stain is weakened by the same part for each amount of it
// (Beer and Lambert), so amounts add up in optical density, -ln(value / 255) for each colour: density = amounts x vectors.
// Vectors of haematoxylin, eosin and DAB: Ruifrok & Johnston 2001, "Quantification of histochemical staining by color deconvolution",
// Anal Quant Cytol Histol 23:291-299. Amounts change as in Tellez et al. 2018 (arXiv 1808.05896): amount * (1 + s) + t.

/** Red, green and blue of the density of one amount of haematoxylin, eosin and DAB. */
export const STAINS = [
  [0.65, 0.7, 0.29],
  [0.07, 0.99, 0.11],
  [0.27, 0.57, 0.78],
] as const;

/** Colours of a stained picture. */
const COLOURS = 3;
/** Marks the random numbers of this file. */
const STAIN = 18;
/** No density is more than that of the darkest of 256 values above 0. */
const DARKEST = 1 / 255;

/** What becomes of a density d: d x matrix + offset, a row of the matrix for each colour. */
export interface StainChange {
  readonly matrix: readonly number[];
  readonly offset: readonly number[];
}

/** Draws the change of a sample, one for all of its colours; undefined where there is none. */
export function drawStain({ stain }: AugmentConfig, key: AugmentKey): StainChange | undefined {
  const random = new RandomStream(key.seed, key.caseIndex, key.step, STAIN);
  if (stain === undefined || !random.chance(stain.probability)) return undefined;
  const vectors = STAINS.map(unit);
  const apart = inverse(vectors);
  const factors = vectors.map(() => 1 + random.between(-stain.scale, stain.scale));
  const added = vectors.map(() => random.between(-stain.shift, stain.shift));
  const sum = (terms: (stain: number) => number): number => terms(0) + terms(1) + terms(2);
  const colours = [0, 1, 2];
  return {
    matrix: colours.flatMap((from) =>
      colours.map((to) => sum((s) => apart[from][s] * factors[s] * vectors[s][to])),
    ),
    offset: colours.map((to) => sum((s) => added[s] * vectors[s][to])),
  };
}

/** Changes the colours of pixels in place: red, green and blue, each within its range from dark to full light. */
export function changeStain(
  colours: readonly Float32Array[],
  ranges: readonly IntensityRange[],
  { matrix: m, offset }: StainChange,
): void {
  if (colours.length !== COLOURS)
    throw new RangeError(`stains need ${COLOURS} colours, not ${colours.length}`);
  const [red, green, blue] = colours;
  const [ofRed, ofGreen, ofBlue] = ranges;
  for (let n = 0; n < red.length; n++) {
    const r = density(red[n], ofRed);
    const g = density(green[n], ofGreen);
    const b = density(blue[n], ofBlue);
    red[n] = light(r * m[0] + g * m[3] + b * m[6] + offset[0], ofRed);
    green[n] = light(r * m[1] + g * m[4] + b * m[7] + offset[1], ofGreen);
    blue[n] = light(r * m[2] + g * m[5] + b * m[8] + offset[2], ofBlue);
  }
}

function density(value: number, { least, most }: IntensityRange): number {
  const part = (value - least) / (most - least);
  return -Math.log(part < DARKEST ? DARKEST : part > 1 ? 1 : part);
}

function light(ofDensity: number, { least, most }: IntensityRange): number {
  return least + (most - least) * (ofDensity > 0 ? Math.exp(-ofDensity) : 1);
}

function unit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((x) => x / length);
}

/** Of a 3x3 matrix, by its cofactors. */
function inverse(rows: readonly (readonly number[])[]): number[][] {
  const cofactor = (i: number, j: number): number => {
    const [a, b] = [(i + 1) % 3, (i + 2) % 3];
    const [c, d] = [(j + 1) % 3, (j + 2) % 3];
    return rows[a][c] * rows[b][d] - rows[a][d] * rows[b][c];
  };
  const determinant = [0, 1, 2].reduce((sum, j) => sum + rows[0][j] * cofactor(0, j), 0);
  return [0, 1, 2].map((i) => [0, 1, 2].map((j) => cofactor(j, i) / determinant));
}
