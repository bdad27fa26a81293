import { fail, shownValue } from '../../../core/index.ts';
import type { SettingName } from '../config-error.ts';
import type { TrainConfig } from '../config-type.ts';

// Networks that tell the class of an image as a whole: what is otherwise in their configs.

/** Whether the class of each image as a whole is learnt. */
export const classifies = ({ task }: Pick<TrainConfig, 'task'>): boolean => task === 'classify';

/** What takes the place of the settings of a preset. */
export const CLASSIFY: Partial<TrainConfig> = {
  loss: { terms: ['ce'], foregroundWeight: 1, mix: 0, epsilon: 0.1 },
  // What tells an image is a small part of means over all of it: steps of momentum on their gradients do not find it.
  optimizer: { kind: 'adam' },
  learningRate: 0.003,
  bestBy: 'auc',
};

/** Refuses settings that mean nothing where images have one label, and measures of these where they have none. */
export function checkTask(config: TrainConfig, nameOf: SettingName): void {
  const refuse = (key: string, expected: string, found: unknown, hint?: string): never =>
    fail({
      where: nameOf(key),
      problem: `expected ${expected}, found ${shownValue(found)}`,
      ...(hint === undefined ? {} : { hint }),
    });
  const { bestBy } = config;
  if (!classifies(config)) {
    if (config.imageLabels !== undefined)
      refuse('imageLabels', 'nothing without task classify', config.imageLabels, 'Give --task classify');
    if (bestBy === 'auc' || bestBy === 'accuracy')
      refuse('bestBy', 'dice, dice:CLASS or loss where voxels are told apart', bestBy);
    return;
  }
  const none = (key: keyof TrainConfig, hint = 'Leave it out'): void => {
    if (config[key] !== undefined) refuse(key, 'nothing beside task classify', config[key], hint);
  };
  none(
    'patch',
    'A patch may lack what gives its image the label: train on whole images, with a memory limit',
  );
  none('slices', 'Whole images are classified');
  none('network', 'The network is the way down of the U-Net, of base and levels');
  none('nnunet');
  none('labels', 'Label maps are not read');
  none('mapLabels', 'Label maps are not read');
  none('regions');
  none('ignore');
  if (config.ignoreGlass)
    refuse('ignoreGlass', 'false beside task classify', true, 'Glass is part of what the image shows');
  if (config.deepSupervision)
    refuse('deepSupervision', 'false beside task classify', true, 'There are no scores of lower resolutions');
  const { terms, dice, mix, foregroundWeight, boundaryWeight, custom } = config.loss;
  const voxels = 'of label maps';
  if (terms?.join() !== 'ce') refuse('loss.terms', 'ce beside task classify', terms ?? 'dice+ce');
  if (dice !== undefined) refuse('loss.dice', 'nothing beside task classify', dice, `It is ${voxels}`);
  if (boundaryWeight !== undefined)
    refuse('loss.boundaryWeight', 'nothing beside task classify', boundaryWeight, `It is ${voxels}`);
  if (custom !== undefined) refuse('loss.custom', 'nothing beside task classify', custom.name);
  if (mix !== 0) refuse('loss.mix', '0 beside task classify', mix, 'It is the share of losses of regions');
  if (foregroundWeight !== 1)
    refuse('loss.foregroundWeight', '1 beside task classify', foregroundWeight, 'Give "weights" of classes');
  const { augmentation } = config;
  if (typeof augmentation === 'object')
    for (const key of ['organ', 'lesion', 'fakeLesions', 'classIntensity'] as const)
      if (augmentation[key] !== undefined)
        refuse(`augmentation.${key}`, 'nothing beside task classify', augmentation[key], `It is ${voxels}`);
  if (bestBy.startsWith('dice')) refuse('bestBy', 'auc, accuracy or loss beside task classify', bestBy);
}
