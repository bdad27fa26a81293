import type { Shape3 } from '../volume/volume.ts';

/**
 * Probabilities (0 to 1) and strengths of the changes of a sample; a change that is absent is left out. They are made in the
 * order of these fields. Intensities are in units of the window (0..1); the changed image is clipped to it.
 */
export interface AugmentConfig {
  /** Label value of the organ that may hold lesions; 1 by default. */
  readonly organ?: number;
  /** Label value of lesions; 2 by default. */
  readonly lesion?: number;
  /** Lesions are erased and others made up in the organ: see `planLesions`. Only where the case has both classes. */
  readonly fakeLesions?: { readonly probability: number };
  /** Of mirroring each axis, independently: depth, height, width. */
  readonly flip?: Shape3;
  /** Of turning by 180 degrees about the depth axis. */
  readonly rotate180?: number;
  /** Of turning by any angle up to so many degrees about the depth axis, either way; voxels count as squares. */
  readonly rotate?: { readonly probability: number; readonly degrees: number };
  /** A projective map in the plane across each of the three axes in turn. */
  readonly projective?: {
    readonly probability: number;
    /**
     * Deviation of each entry of the 2x2 matrix around the identity, and of the change of scale from one edge of the volume to
     * the other; drawn within twice this. At most 0.2.
     */
    readonly transformRatio: number;
    /** Deviation of the shift along each axis, as a part of its extent, drawn within twice this. */
    readonly translateRatio: number;
  };
  /** A random affine map. */
  readonly affine?: {
    readonly probability: number;
    /** Deviation of each entry of the 3x3 matrix around the identity, drawn within twice this. */
    readonly transformRatio: number;
    /** Deviation of the shift along each axis, as a part of its extent, drawn within twice this. */
    readonly translateRatio: number;
  };
  /** Larger or smaller by one factor along all axes, drawn between 1 - ratio and 1 + ratio. */
  readonly zoom?: { readonly probability: number; readonly ratio: number };
  /** Voxels shift by a smooth random field (a cubic B-spline). */
  readonly elastic?: {
    readonly probability: number;
    /** Cells of the spline's lattice along each axis. */
    readonly cells: number;
    /** Deviation of the lattice's points as a part of a cell, drawn within twice this. At most 0.25, so that nothing folds. */
    readonly ratio: number;
  };
  /**
   * Pictures of three colours: each stain becomes amount * (1 + s) + t, with s and t drawn uniformly for each of haematoxylin, eosin
   * and DAB. See augment-stain.ts.
   */
  readonly stain?: {
    readonly probability: number;
    /** The largest |s|. */
    readonly scale: number;
    /** The largest |t|, in optical density (-ln). */
    readonly shift: number;
  };
  /** Lesions, and all the rest, are multiplied by two factors drawn between 1 - ratio and 1 + ratio. */
  readonly classIntensity?: { readonly probability: number; readonly ratio: number };
  /** value ^ exp(g) with g drawn between -ratio and ratio. */
  readonly gamma?: { readonly probability: number; readonly ratio: number };
  /** value * (1 + s) + t with s and t drawn uniformly. */
  readonly intensity?: {
    readonly probability: number;
    /** The largest |s|. */
    readonly scale: number;
    /** The largest |t|. */
    readonly shift: number;
  };
  /** Gaussian noise with grains of 1 and of 4 voxels, each with the probability. */
  readonly noise?: {
    readonly probability: number;
    /** The deviation is drawn uniformly from 0 to this. */
    readonly ratio: number;
  };
  /** A smooth random mask, with cells of a third of the image, blanks voxels (0) that are no lesion. */
  readonly corruption?: {
    readonly probability: number;
    /** The share of the voxels is drawn uniformly from 0 to this. */
    readonly share: number;
  };
}

/** Nothing is changed. */
export const noAugmentation: AugmentConfig = {};

/** Small changes that keep the patient upright: the organs stay where they belong. */
export const mildAugmentation: AugmentConfig = {
  affine: { probability: 0.5, transformRatio: 0.05, translateRatio: 0.03 },
  intensity: { probability: 0.5, scale: 0.1, shift: 0.05 },
  noise: { probability: 0.5, ratio: 0.03 },
};

/**
 * Large changes that keep the patient upright, for few scans of few patients: the shapes, places and brightness of one of them
 * must not be learnt by heart.
 */
export const strongAugmentation: AugmentConfig = {
  affine: { probability: 0.9, transformRatio: 0.12, translateRatio: 0.15 },
  zoom: { probability: 0.8, ratio: 0.3 },
  elastic: { probability: 0.5, cells: 5, ratio: 0.15 },
  gamma: { probability: 0.5, ratio: 0.3 },
  intensity: { probability: 0.8, scale: 0.2, shift: 0.1 },
  noise: { probability: 0.3, ratio: 0.05 },
};

/** All changes of Hou et al. 2019 (arXiv 1909.03108); the strengths are our own where it names none. */
export const paperAugmentation: AugmentConfig = {
  fakeLesions: { probability: 0.5 },
  flip: [0.5, 0.5, 0.5],
  rotate180: 0.5,
  projective: { probability: 1, transformRatio: 0.05, translateRatio: 0.03 },
  classIntensity: { probability: 0.5, ratio: 0.03 },
  noise: { probability: 0.5, ratio: 0.03 },
  corruption: { probability: 0.25, share: 0.25 },
};

/** Stained tissue, which has no upright: turned and mirrored in plane, larger and smaller, its stains stronger and weaker. */
export const pathologyAugmentation: AugmentConfig = {
  flip: [0, 0.5, 0.5],
  rotate: { probability: 0.5, degrees: 180 },
  zoom: { probability: 0.5, ratio: 0.2 },
  stain: { probability: 0.8, scale: 0.2, shift: 0.05 },
  noise: { probability: 0.3, ratio: 0.03 },
};
