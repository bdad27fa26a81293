import {
  type AugmentConfig,
  mildAugmentation,
  noAugmentation,
  paperAugmentation,
  pathologyAugmentation,
  strongAugmentation,
} from '../../imaging/index.ts';
import { AUGMENTATIONS, type AugmentationName } from './choices.ts';

export { AUGMENTATIONS, type AugmentationName };

/** Random changes of training samples: a set by its name, or single changes, which replace those of the set `preset` (none). */
export type AugmentationSettings =
  | AugmentationName
  | (AugmentConfig & { readonly preset?: AugmentationName });

const sets: Readonly<Record<AugmentationName, AugmentConfig>> = {
  none: noAugmentation,
  mild: mildAugmentation,
  strong: strongAugmentation,
  paper: paperAugmentation,
  pathology: pathologyAugmentation,
};

/** The changes that settings stand for. */
export function augmentationFrom(settings: AugmentationSettings): AugmentConfig {
  if (typeof settings === 'string') return sets[settings];
  const { preset = 'none', ...changes } = settings;
  return { ...sets[preset], ...changes };
}
