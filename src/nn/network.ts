import type { Value } from '../core/index.ts';
import {
  type ClassifierConfig,
  type ClassifierSettings,
  classifierConfig,
  classifierScores,
} from './classifier.ts';
import type { Context } from './context.ts';
import { type CustomNetwork, customLevels } from './custom-network.ts';
import { checkPlainUNet, type PlainUNetConfig, plainUnetLevels, STAGED_KINDS } from './plain-unet.ts';
import { type UNetConfig, unetConfig, unetLevels } from './unet.ts';

/** The networks there are: all of their settings. */
export type Network = UNetConfig | PlainUNetConfig | CustomNetwork | ClassifierConfig;

/** What is given of a network: any settings of the U-Net, or all of another one. */
export type NetworkSettings = Partial<UNetConfig> | PlainUNetConfig | CustomNetwork | ClassifierSettings;

/** Whether a network is given stage by stage. */
export const isPlainUNet = (network: NetworkSettings): network is PlainUNetConfig =>
  'kind' in network && STAGED_KINDS.some((kind) => kind === network.kind);

export const isCustom = (network: NetworkSettings): network is CustomNetwork =>
  'kind' in network && network.kind === 'custom';

/** Whether a network gives its scores to whole images and not to voxels. */
export const isClassifier = (network: NetworkSettings): network is ClassifierSettings =>
  'kind' in network && network.kind === 'classifier';

/** All settings of a network. Refuses those that make none. */
export function networkConfig(settings: NetworkSettings = {}): Network {
  if (isCustom(settings)) return settings;
  if (isClassifier(settings)) return classifierConfig(settings);
  if (!isPlainUNet(settings)) return unetConfig(settings);
  checkPlainUNet(settings);
  return settings;
}

/**
 * Scores of every class at every voxel, or of a classifier of the image as a whole, and where `deep` those of the lower resolutions of the way up, from the highest down.
 */
export function networkLevels(ctx: Context, image: Value, network: Network, deep: boolean): readonly Value[] {
  if (isCustom(network)) return customLevels(ctx, image, network, deep);
  if (isClassifier(network)) return [classifierScores(ctx, image, network)];
  return isPlainUNet(network)
    ? plainUnetLevels(ctx, image, network, deep)
    : unetLevels(ctx, image, network, deep);
}
