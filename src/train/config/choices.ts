// Words that settings are chosen from. They import nothing, so that they can be named without loading what they choose.

/** Whole sets of random changes of the scans. */
export const AUGMENTATIONS = ['none', 'mild', 'strong', 'paper', 'pathology'] as const;
export type AugmentationName = (typeof AUGMENTATIONS)[number];

/** Names of the axes that flips may turn around. */
export const FLIP_AXES = ['depth', 'height', 'width'] as const;
export type FlipAxis = (typeof FLIP_AXES)[number];

/** How a channel is normalised by name; `ct` is the window of the config, `ct-percentiles` becomes numbers of the data set. */
export const NORMALIZATIONS = [
  'ct',
  'ct-percentiles',
  'zscore',
  'zscore-nonzero',
  'rescale',
  'rgb',
  'none',
] as const;
export type NormalizationName = (typeof NORMALIZATIONS)[number];
