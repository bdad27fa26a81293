import { addNoise, scaleIntensity } from './augment-intensity.ts';
import { type AffineSampling, type Flips, flipAxes, sampleAffine } from './augment-space.ts';
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

/** Arrays of a sample's size that a changed one may be written to. */
export interface SampleArrays {
  readonly image: Float32Array;
  readonly labels: Uint8Array;
}

/**
 * A randomly changed sample of the same shape: mirrored, turned, deformed, made noisy, brighter or darker.
 * The same key gives the same sample, bit for bit. Never writes into the given arrays; the result may share
 * those that no change touched. The image stays within 0..1; what moves in from outside is 0 (air,
 * background). What is changed is written once, into `into` where it is given, else into new arrays.
 */
export function augment(sample: Sample, config: AugmentConfig, key: AugmentKey, into?: SampleArrays): Sample {
  const { shape } = sample;
  const { flips, map, gain, noises } = drawChanges(config, key, shape);
  let { image, labels } = sample;
  const moved = map !== undefined || flips.some(Boolean);
  if (!moved && gain === undefined && noises.length === 0) return sample;
  const out = into?.image ?? new Float32Array(image.length);
  if (moved) {
    const move = <T extends Float32Array | Uint8Array>(data: T, to: T): T =>
      map === undefined ? flipAxes(data, shape, flips, to) : sampleAffine(data, shape, map, flips, to);
    image = move(image, out);
    labels = labels && move(labels, into?.labels ?? new Uint8Array(labels.length));
  }
  if (gain !== undefined) {
    scaleIntensity(image, gain.scale, gain.shift, out);
    image = out;
  }
  for (const noise of noises) {
    addNoise(image, shape, noise, out);
    image = out;
  }
  return { image, labels, shape };
}

/** What happens to a sample, in this order. */
interface Changes {
  readonly flips: Flips;
  readonly map?: AffineSampling;
  readonly gain?: { readonly scale: number; readonly shift: number };
  readonly noises: readonly { readonly grain: number; readonly deviation: number; readonly key: number }[];
}

function drawChanges(config: AugmentConfig, key: AugmentKey, shape: Shape3): Changes {
  const keyParts = [key.seed, key.caseIndex, key.step];
  const space = new RandomStream(...keyParts, 1);
  const turn = space.chance(config.rotate180);
  const flips = [
    space.chance(config.flip[0]),
    space.chance(config.flip[1]) !== turn,
    space.chance(config.flip[2]) !== turn,
  ] as const;
  const map = space.chance(config.affine.probability) ? randomAffine(space, config.affine, shape) : undefined;
  const intensity = new RandomStream(...keyParts, 2);
  const { scale, shift } = config.intensity;
  const gain = intensity.chance(config.intensity.probability)
    ? { scale: 1 + intensity.between(-scale, scale), shift: intensity.between(-shift, shift) }
    : undefined;
  const noises = [1, 4].flatMap((grain) => {
    if (!intensity.chance(config.noise.probability)) return [];
    const deviation = intensity.between(0, config.noise.ratio);
    return [{ grain, deviation, key: randomKey(...keyParts, 2 + grain) }];
  });
  return { flips, map, gain, noises };
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
