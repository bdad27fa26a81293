import { addNoise, scaleIntensity } from './augment-intensity.ts';
import { type AffineSampling, flipAxes, sampleAffine } from './augment-space.ts';
import { RandomStream, randomKey } from './random.ts';
import type { Shape3 } from './volume.ts';

/** What augmentation works on: a windowed image (0..1), its labels if it has any, [depth, height, width]. */
export interface Sample {
  readonly image: Float32Array;
  readonly labels?: Uint8Array;
  readonly shape: Shape3;
}

/** Probabilities (0 to 1) and strengths of each change; a probability of 0 leaves it out. */
export interface AugmentConfig {
  /** Of mirroring each axis, independently: depth, height, width. */
  readonly flip: Shape3;
  /** Of turning by 180 degrees about the depth axis. */
  readonly rotate180: number;
  /** A random affine map, sampled linearly (image) and to the nearest voxel (labels). */
  readonly affine: {
    readonly probability: number;
    /** Deviation of each entry of the 3x3 matrix around the identity, cut off at twice this. */
    readonly transformRatio: number;
    /** Deviation of the shift along each axis, as a part of its extent, cut off at twice this. */
    readonly translateRatio: number;
  };
  /** Gaussian noise with grains of 1 and of 4 voxels, drawn separately. */
  readonly noise: {
    readonly probability: number;
    /** The deviation is drawn uniformly from 0 to this, in units of the window (0..1). */
    readonly ratio: number;
  };
  /** value * (1 + s) + t with s and t drawn uniformly. */
  readonly intensity: {
    readonly probability: number;
    /** The largest |s|. */
    readonly scale: number;
    /** The largest |t|, in units of the window (0..1). */
    readonly shift: number;
  };
}

/** Nothing is changed. */
export const noAugmentation: AugmentConfig = {
  flip: [0, 0, 0],
  rotate180: 0,
  affine: { probability: 0, transformRatio: 0, translateRatio: 0 },
  noise: { probability: 0, ratio: 0 },
  intensity: { probability: 0, scale: 0, shift: 0 },
};

/** Small changes that keep the patient upright: the organs stay where they belong. */
export const mildAugmentation: AugmentConfig = {
  flip: [0, 0, 0],
  rotate180: 0,
  affine: { probability: 0.5, transformRatio: 0.05, translateRatio: 0.03 },
  noise: { probability: 0.5, ratio: 0.03 },
  intensity: { probability: 0.5, scale: 0.1, shift: 0.05 },
};

/** The flips and rotation of Hou et al. 2019 (each with probability 0.5), with affine maps and noise. */
export const paperAugmentation: AugmentConfig = {
  ...mildAugmentation,
  flip: [0.5, 0.5, 0.5],
  rotate180: 0.5,
};

/** What the random draws of one sample depend on, and nothing else. */
export interface AugmentKey {
  readonly seed: number;
  /** The number of the case in the dataset. */
  readonly caseIndex: number;
  /** The training step or epoch. */
  readonly step: number;
}

/**
 * A randomly changed sample of the same shape: mirrored, turned, deformed, made noisy, brighter or darker.
 * The same key gives the same sample, bit for bit. Never writes into the given arrays; the result may share
 * those that no change touched. The image stays within 0..1; what moves in from outside is 0 (air,
 * background).
 */
export function augment(sample: Sample, config: AugmentConfig, key: AugmentKey): Sample {
  const keyParts = [key.seed, key.caseIndex, key.step];
  const space = new RandomStream(...keyParts, 1);
  const { shape } = sample;
  const turn = space.chance(config.rotate180);
  const flips = [
    space.chance(config.flip[0]),
    space.chance(config.flip[1]) !== turn,
    space.chance(config.flip[2]) !== turn,
  ] as const;
  let { image, labels } = sample;
  if (flips.some(Boolean)) {
    image = flipAxes(image, shape, flips);
    labels = labels && flipAxes(labels, shape, flips);
  }
  if (space.chance(config.affine.probability)) {
    const map = randomAffine(space, config.affine, shape);
    image = sampleAffine(image, shape, map, 'linear');
    labels = labels && sampleAffine(labels, shape, map, 'nearest');
  }
  const intensity = new RandomStream(...keyParts, 2);
  let own = image === sample.image ? undefined : image;
  if (intensity.chance(config.intensity.probability)) {
    own ??= image.slice();
    const { scale, shift } = config.intensity;
    scaleIntensity(own, 1 + intensity.between(-scale, scale), intensity.between(-shift, shift));
  }
  for (const grain of [1, 4]) {
    if (!intensity.chance(config.noise.probability)) continue;
    own ??= image.slice();
    const deviation = intensity.between(0, config.noise.ratio);
    addNoise(own, shape, grain, deviation, randomKey(...keyParts, 2 + grain));
  }
  return { image: own ?? image, labels, shape };
}

/** The map of output to input voxels: (1 + random) * (x - centre) + centre + shift. */
function randomAffine(
  random: RandomStream,
  { transformRatio, translateRatio }: AugmentConfig['affine'],
  shape: Shape3,
): AffineSampling {
  const matrix: number[] = [];
  for (let n = 0; n < 9; n++) matrix.push((n % 4 === 0 ? 1 : 0) + transformRatio * random.truncatedNormal());
  const centre = shape.map((extent) => (extent - 1) / 2);
  const offset = [0, 1, 2].map((row) => {
    const turned =
      matrix[row * 3] * centre[0] + matrix[row * 3 + 1] * centre[1] + matrix[row * 3 + 2] * centre[2];
    return centre[row] - turned + translateRatio * shape[row] * random.truncatedNormal();
  });
  return { matrix, offset };
}
