import { RandomStream, randomKey } from '../../core/index.ts';
import type { Shape3 } from '../volume/volume.ts';
import type { AugmentConfig } from './augment-config.ts';
import { type Field, normalLattice, splineKnots } from './augment-field.ts';
import type { AffineMap, Flips, PlaneMap, SpatialMap } from './augment-map.ts';

/** What the random draws of one sample depend on, and nothing else. */
export interface AugmentKey {
  readonly seed: number;
  /** The number of the case in the data set. */
  readonly caseIndex: number;
  /** The training step or epoch. */
  readonly step: number;
}

/** What happens to a sample, all of it drawn; see AugmentConfig. */
export interface Changes {
  readonly organ: number;
  readonly lesion: number;
  /** Key of the random numbers of fake lesions. */
  readonly fakeLesions?: number;
  /** Absent where every voxel stays in its place. */
  readonly map?: SpatialMap;
  /** Factors of lesions and of the rest. */
  readonly classFactors?: { readonly lesion: number; readonly rest: number };
  /** The exponent. */
  readonly gamma?: number;
  readonly gain?: { readonly scale: number; readonly shift: number };
  readonly noises: readonly { readonly grain: number; readonly deviation: number; readonly key: number }[];
  readonly corruption?: { readonly share: number; readonly key: number };
}

/** Marks of the streams that changes are drawn from: each has its own, so that none depends on whether another is on. */
const SPACE = 1;
const INTENSITY = 2;
/** And the grain, 1 or 4. */
const NOISE = 2;
const PROJECTIVE = 10;
const ZOOM = 11;
const ELASTIC = 12;
const CLASS_INTENSITY = 13;
const GAMMA = 14;
const CORRUPTION = 15;
const FAKE_LESIONS = 16;
const ROTATE = 17;
// 18: augment-stain.ts.

/**
 * Draws the changes of a channel of a sample of a shape: places change alike in all channels, intensities in each by numbers of its own.
 */
export function drawChanges(config: AugmentConfig, key: AugmentKey, shape: Shape3, channel = 0): Changes {
  const keyParts = [key.seed, key.caseIndex, key.step];
  const marked = (mark: number) => [...keyParts, mark, ...(channel === 0 ? [] : [channel])];
  const stream = (mark: number) => new RandomStream(...marked(mark));
  const { classIntensity, gamma, intensity, noise, corruption } = config;

  const lesions = new RandomStream(...keyParts, FAKE_LESIONS).chance(config.fakeLesions?.probability ?? 0);
  const classes = stream(CLASS_INTENSITY);
  const darker = stream(GAMMA);
  const brighter = stream(INTENSITY);
  const blanks = stream(CORRUPTION);
  const factor = (ratio: number) => 1 + classes.between(-ratio, ratio);
  return {
    organ: config.organ ?? 1,
    lesion: config.lesion ?? 2,
    fakeLesions: lesions ? randomKey(...keyParts, FAKE_LESIONS, 1) : undefined,
    map: drawMap(config, keyParts, shape),
    classFactors:
      classIntensity && classes.chance(classIntensity.probability)
        ? { lesion: factor(classIntensity.ratio), rest: factor(classIntensity.ratio) }
        : undefined,
    gamma:
      gamma && darker.chance(gamma.probability)
        ? Math.exp(darker.between(-gamma.ratio, gamma.ratio))
        : undefined,
    gain: drawGain(brighter, intensity),
    noises: [1, 4].flatMap((grain) => {
      if (!brighter.chance(noise?.probability ?? 0)) return [];
      const deviation = brighter.between(0, noise?.ratio ?? 0);
      return [{ grain, deviation, key: randomKey(...marked(NOISE + grain)) }];
    }),
    corruption:
      corruption && blanks.chance(corruption.probability)
        ? { share: blanks.between(0, corruption.share), key: randomKey(...marked(CORRUPTION), 1) }
        : undefined,
  };
}

function drawGain(random: RandomStream, intensity: AugmentConfig['intensity']): Changes['gain'] {
  if (!random.chance(intensity?.probability ?? 0) || intensity === undefined) return undefined;
  const { scale, shift } = intensity;
  return { scale: 1 + random.between(-scale, scale), shift: random.between(-shift, shift) };
}

function drawMap(config: AugmentConfig, keyParts: readonly number[], shape: Shape3): SpatialMap | undefined {
  const { flip = [0, 0, 0], rotate180 = 0, projective, elastic } = config;
  const random = new RandomStream(...keyParts, SPACE);
  const turn = random.chance(rotate180);
  const flips: Flips = [
    random.chance(flip[0]),
    random.chance(flip[1]) !== turn,
    random.chance(flip[2]) !== turn,
  ];
  const affine = drawAffine(config, random, keyParts, shape);
  const perspective = new RandomStream(...keyParts, PROJECTIVE);
  const planes =
    projective && perspective.chance(projective.probability)
      ? [0, 1, 2]
          .map((axis) => drawPlane(perspective, projective, shape, axis))
          // Where an axis has one voxel there is nothing to move along.
          .filter(({ axes }) => axes.every((axis) => shape[axis] > 1))
      : [];
  const bend =
    elastic && new RandomStream(...keyParts, ELASTIC).chance(elastic.probability)
      ? drawElastic(elastic, randomKey(...keyParts, ELASTIC, 1), shape)
      : undefined;
  const still = !flips.some(Boolean) && affine === undefined && planes.length === 0 && bend === undefined;
  return still ? undefined : { shape, flips, elastic: bend, affine, planes };
}

const centreOf = (extent: number): number => (extent - 1) / 2;

/**
 * The map of output to input voxels: rotation * zoom * (1 + random) * (x - centre) + centre + shift. Nothing moves along, or by, an axis of one
 * voxel.
 */
function drawAffine(
  { affine, zoom, rotate }: AugmentConfig,
  random: RandomStream,
  keyParts: readonly number[],
  shape: Shape3,
): AffineMap | undefined {
  const zooming = new RandomStream(...keyParts, ZOOM);
  const turning = new RandomStream(...keyParts, ROTATE);
  const deformed = random.chance(affine?.probability ?? 0);
  const zoomed = zooming.chance(zoom?.probability ?? 0);
  const turned = turning.chance(rotate?.probability ?? 0);
  if (!deformed && !zoomed && !turned) return undefined;
  const { transformRatio, translateRatio } = (deformed && affine) || { transformRatio: 0, translateRatio: 0 };
  // Twice as large reads half as far.
  const scale = zoomed && zoom ? 1 / (1 + zooming.between(-zoom.ratio, zoom.ratio)) : 1;
  const matrix: number[] = [];
  for (let n = 0; n < 9; n++)
    matrix.push(scale * ((n % 4 === 0 ? 1 : 0) + transformRatio * random.truncatedNormal()));
  if (turned && rotate)
    turnInPlane(matrix, (turning.between(-rotate.degrees, rotate.degrees) * Math.PI) / 180);
  for (let n = 0; n < 9; n++)
    if (shape[Math.floor(n / 3)] === 1 || shape[n % 3] === 1) matrix[n] = n % 4 === 0 ? 1 : 0;
  const centre = shape.map(centreOf);
  const offset = [0, 1, 2].map((row) => {
    const turned =
      matrix[row * 3] * centre[0] + matrix[row * 3 + 1] * centre[1] + matrix[row * 3 + 2] * centre[2];
    const shift = translateRatio * shape[row] * random.truncatedNormal();
    return centre[row] - turned + (shape[row] === 1 ? 0 : shift);
  });
  return { matrix, offset };
}

/** Turns what a matrix gives about the depth axis, by radians. */
function turnInPlane(matrix: number[], angle: number): void {
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  for (let n = 3; n < 6; n++) {
    const [y, x] = [matrix[n], matrix[n + 3]];
    matrix[n] = c * y - s * x;
    matrix[n + 3] = s * y + c * x;
  }
}

/** A projective map in the plane across an axis, about its centre. */
function drawPlane(
  random: RandomStream,
  { transformRatio, translateRatio }: NonNullable<AugmentConfig['projective']>,
  shape: Shape3,
  across: number,
): PlaneMap {
  const [p, q] = [0, 1, 2].filter((axis) => axis !== across);
  const entry = (identity: number, deviation: number) => identity + deviation * random.truncatedNormal();
  const central = [
    ...[entry(1, transformRatio), entry(0, transformRatio), entry(0, translateRatio * shape[p])],
    ...[entry(0, transformRatio), entry(1, transformRatio), entry(0, translateRatio * shape[q])],
    ...[entry(0, transformRatio / shape[p]), entry(0, transformRatio / shape[q]), 1],
  ];
  return { axes: [p, q], matrix: aboutPoint(central, centreOf(shape[p]), centreOf(shape[q])) };
}

/** The 3x3 projective map that does about the point (p, q) what `matrix` does about the origin. */
export function aboutPoint(matrix: readonly number[], p: number, q: number): number[] {
  const [a, b, c, d, e, f, g, h, i] = matrix;
  const [ci, fi, ii] = [c - a * p - b * q, f - d * p - e * q, i - g * p - h * q];
  return [...[a + p * g, b + p * h, ci + p * ii], ...[d + q * g, e + q * h, fi + q * ii], ...[g, h, ii]];
}

function drawElastic(
  { cells, ratio }: NonNullable<AugmentConfig['elastic']>,
  key: number,
  shape: Shape3,
): NonNullable<SpatialMap['elastic']> {
  // No more cells than voxels: a finer lattice would be noise.
  const along = shape.map((extent) => Math.min(cells, extent));
  const lattice: Shape3 = [along[0] + 3, along[1] + 3, along[2] + 3];
  const knots = (axis: 0 | 1 | 2) => splineKnots(shape[axis], along[axis]);
  const axes: Field['axes'] = [knots(0), knots(1), knots(2)];
  const deviation = (axis: 0 | 1 | 2) => (shape[axis] === 1 ? 0 : (ratio * shape[axis]) / along[axis]);
  const fields = ([0, 1, 2] as const).map((axis) => ({
    lattice: normalLattice(lattice, randomKey(key, axis), deviation(axis), true),
    axes,
  }));
  // Weights add up to 1, so no voxel moves farther than a point of the lattice; a little more for rounding.
  const most = (axis: 0 | 1 | 2) => 2 * deviation(axis) * 1.001;
  return { fields, most: [most(0), most(1), most(2)] };
}
