import { checkLabels } from '../parts/components.ts';
import { ImagingError } from '../volume/errors.ts';
import type { Shape3, VoxelSize } from '../volume/volume.ts';
import { distancesTo } from './distance.ts';
import { cellAreas } from './surface-cells.ts';
import { boxOf, SurfaceCodes } from './surface-codes.ts';

/**
 * How far the surfaces of two segmentations of a class are apart, in mm. All are null where the class is in neither; where it is in
 * one alone there is no distance: distances are null and surface Dice is 0.
 */
export interface SurfaceScores {
  /** The largest distance from either surface to the other (Hausdorff). */
  readonly hausdorff: number | null;
  /**
   * HD95: the larger of two distances, within which 95 % of the area of the true surface lie from the predicted one, and the other
   * way round. DeepMind's `compute_robust_hausdorff`.
   */
  readonly hausdorff95: number | null;
  /** The mean distance from the predicted surface to the true one, by area. DeepMind's `compute_average_surface_distance`. */
  readonly meanToTruth: number | null;
  /** From the true surface to the predicted one. */
  readonly meanToPrediction: number | null;
  /** ASSD: the mean over both surfaces together, by area. */
  readonly meanSurfaceDistance: number | null;
  /**
   * Normalized surface Dice: the share of both surfaces together, by area, that lies within the tolerance of the other. DeepMind's
   * `compute_surface_dice_at_tolerance`.
   */
  readonly surfaceDice: number | null;
}

export interface SurfaceOptions {
  /** Which class. */
  readonly label: number;
  /** mm; for the surface Dice. */
  readonly tolerance: number;
}

/**
 * Surface distances of a class between two label maps, [depth, height, width], with spacing in mm in that order or the grid that both
 * lie on, whose axes may lean. Surfaces are the elements of
 * `surface-cells.ts`, closed at the faces of the volume; the distance of an element is that from the centre of its cell to the nearest
 * centre of a cell with an element of the other surface, exact. Works in the box around both, with 2 bytes for each of its cells, and
 * keeps one number for each distance that occurs.
 * Throws ImagingError for sizes that do not fit.
 */
export function surfaceScores(
  truth: Uint8Array,
  prediction: Uint8Array,
  shape: Shape3,
  voxel: VoxelSize,
  { label, tolerance }: SurfaceOptions,
): SurfaceScores {
  checkLabels(truth, shape, 'truth');
  checkLabels(prediction, shape, 'prediction');
  if (!(tolerance >= 0))
    throw new ImagingError({ field: 'tolerance', expected: 'mm, at least 0', found: `${tolerance}` });
  const areas = cellAreas(voxel);
  const box = boxOf([truth, prediction], shape, label);
  if (box === undefined) return NOTHING;
  const real = new SurfaceCodes(truth, shape, label, box);
  const predicted = new SurfaceCodes(prediction, shape, label, box);
  const there = distances(real, predicted, voxel, areas);
  const back = distances(predicted, real, voxel, areas);
  const within = there.areaWithin(tolerance) + back.areaWithin(tolerance);
  const surfaceDice = within / (there.area + back.area);
  if (there.area === 0 || back.area === 0) return { ...NOTHING, surfaceDice };
  return {
    hausdorff: Math.max(there.largest, back.largest),
    hausdorff95: Math.max(there.percentile(0.95), back.percentile(0.95)),
    meanToTruth: back.moment / back.area,
    meanToPrediction: there.moment / there.area,
    meanSurfaceDistance: (there.moment + back.moment) / (there.area + back.area),
    surfaceDice,
  };
}

const NOTHING: SurfaceScores = {
  hausdorff: null,
  hausdorff95: null,
  meanToTruth: null,
  meanToPrediction: null,
  meanSurfaceDistance: null,
  surfaceDice: null,
};

/** Area of a surface by its distance to another. */
class AreaByDistance {
  /** mm, rising. */
  private readonly distances: Float64Array;
  /** mm^2 at each. */
  private readonly areas: Float64Array;
  /** mm^2. */
  readonly area: number;
  /** Sum of area times distance, mm^3. */
  readonly moment: number;

  constructor(areaBySquare: ReadonlyMap<number, number>) {
    const squares = Float64Array.from(areaBySquare.keys()).sort();
    this.distances = squares.map(Math.sqrt);
    this.areas = squares.map((square) => areaBySquare.get(square)!);
    this.area = this.areas.reduce((sum, area) => sum + area, 0);
    this.moment = this.areas.reduce((sum, area, n) => sum + area * this.distances[n], 0);
  }

  get largest(): number {
    return this.distances[this.distances.length - 1];
  }

  /** The smallest distance within which a share of the area lies. Shares that are equal but for rounding count as equal. */
  percentile(share: number): number {
    let sum = 0;
    for (let n = 0; n < this.areas.length; n++) {
      sum += this.areas[n];
      if (sum >= share * this.area * (1 - 1e-12)) return this.distances[n];
    }
    return this.largest;
  }

  /** Area no farther than a distance. Distances that are equal but for rounding count as equal. */
  areaWithin(distance: number): number {
    let sum = 0;
    for (let n = 0; n < this.areas.length && this.distances[n] <= distance * (1 + 1e-9); n++)
      sum += this.areas[n];
    return sum;
  }
}

function distances(
  from: SurfaceCodes,
  to: SurfaceCodes,
  voxel: VoxelSize,
  areas: Float64Array,
): AreaByDistance {
  const [depth, height, width] = from.cells;
  const plane = height * width;
  const map = distancesTo(from.cells, voxel, (k, flags) => {
    const codes = to.slice(k);
    for (let n = 0; n < plane; n++) flags[n] = codes[n] !== 0 && codes[n] !== 255 ? 1 : 0;
  });
  const areaBySquare = new Map<number, number>();
  for (let k = 0; k < depth; k++) {
    const codes = from.slice(k);
    for (let j = 0; j < height; j++) {
      for (let i = 0; i < width; i++) {
        const code = codes[j * width + i];
        if (code === 0 || code === 255) continue;
        const square = map.squaredAt(k, j, i);
        areaBySquare.set(square, (areaBySquare.get(square) ?? 0) + areas[code]);
      }
    }
  }
  return new AreaByDistance(areaBySquare);
}
