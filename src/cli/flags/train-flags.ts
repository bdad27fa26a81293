import type { Command } from 'commander';
import { COMPUTING_DEVICES, DEVICE_WORDS } from '../../machine/device-names.ts';
import { LOSS_NAMES } from '../../nn/loss/loss-names.ts';
import { FIRST_WEIGHTS } from '../../nn/step/first-weights-names.ts';
// Of train only what is light to load: declarations of flags are loaded for help and mistakes too.
import { AUGMENTATIONS, NORMALIZATIONS } from '../../train/config/choices.ts';
import { NETWORKS, PRESETS, SAMPLINGS, TASKS } from '../../train/config/config-type.ts';
import {
  MOST_BATCH,
  MOST_CHANNELS,
  MOST_PLANE,
  MOST_SLICES,
  MOST_STEPS,
  MOST_THREADS,
} from '../../train/config/limits.ts';
import {
  addConvFlag,
  addMemoryFlags,
  addMeshFlags,
  addPatternFlags,
  type MemoryFlags,
  type MeshFlags,
  type PatternFlags,
} from './flags.ts';
import {
  count,
  deviceChoice,
  heldOut,
  hounsfield,
  listOf,
  mpp,
  normalization,
  oneOf,
  patch,
  positive,
  spacing,
} from './parse.ts';
import { lossTerms } from './parse-training.ts';

// Flags of what is trained, and how. A flag's name in camel case is its key in a config file.

/** Flags of `train` that stand for keys of a config. */
export interface TrainFlags extends MeshFlags, MemoryFlags, PatternFlags {
  readonly threads?: number;
  readonly config?: string;
  readonly data?: string;
  readonly out?: string;
  readonly resume?: boolean;
  readonly watch?: boolean;
  readonly trace?: string;
  readonly overwrite?: boolean;
}

/** Everything that `train` takes; `plan` takes it too. */
export function addTrainFlags(command: Command): Command {
  const withData = command.option(
    '--data <dir>',
    'data set: a Medical Segmentation Decathlon or nnU-Net v2 folder, or a store that halomesh preprocess wrote',
  );
  addPatternFlags(withData)
    .option('--out <run>', 'folder of the run: config, log, checkpoints, pictures')
    .option('--config <file>', 'JSON file with any of these settings; flags go before it')
    .option('--preset <name>', `settings to start from: ${PRESETS.join(', ')}`, oneOf('--preset', PRESETS));
  return addConvFlag(addMemoryFlags(addMeshFlags(command)))
    .option(
      '--task <task>',
      'what is learnt: segment (the class of each voxel) or classify (the class of each image; default: segment)',
      oneOf('--task', TASKS),
    )
    .option(
      '--size <n>',
      'resample every scan to n x n x n voxels, with --plane to n x n',
      count('--size', 1, MOST_PLANE),
    )
    .option('--spacing <mm>', 'resample every scan to this voxel size', spacing('--spacing'))
    .option('--mpp <microns>', 'resample every picture to pixels of this size', mpp('--mpp'))
    .option(
      '--normalization <names>',
      `how channels are normalised, one name for all or one for each: auto, ${NORMALIZATIONS.join(', ')} (default: by the names of the channels)`,
      normalization('--normalization'),
    )
    .option(
      '--window <lo,hi>',
      'Hounsfield units that become 0 and 1 in CT (default: those of the preset, or of a store)',
      hounsfield('--window'),
    )
    .option(
      '--patch <d,h,w>',
      'train on patches of this many voxels at random places (default: on whole volumes)',
      patch('--patch'),
    )
    .option(
      '--slices <n>',
      '2-D: train on single slices, with n adjacent ones (odd) as channels (default: 3-D)',
      count('--slices', 1, MOST_SLICES),
    )
    .option(
      '--plane',
      '2-D: images are pictures, volumes of depth 1 with channels of their own (default: 3-D)',
    )
    .option('--ignore-glass', 'glass of stained pictures costs no loss and is background in predictions')
    .option(
      '--network <name>',
      `network: ${NETWORKS.join(', ')}, or a module (.mjs, .js) whose function builds one (default: unet)`,
    )
    .option('--base <n>', 'channels of the first level', count('--base', 1, MOST_CHANNELS))
    .option('--levels <n>', 'resolutions of the network', count('--levels', 1, 10))
    .option('--steps <n>', 'training steps', count('--steps', 1, MOST_STEPS))
    .option('--batch <n>', 'scans in a step; with --slices the slices of it', count('--batch', 1, MOST_BATCH))
    .option(
      '--accumulate <n>',
      'batches of a step, whose gradients are averaged',
      count('--accumulate', 1, MOST_BATCH),
    )
    .option('--learning-rate <rate>', 'highest learning rate', positive('--learning-rate'))
    .option(
      '--augmentation <kind>',
      `random changes of the scans: ${AUGMENTATIONS.join(', ')}`,
      oneOf('--augmentation', AUGMENTATIONS),
    )
    .option(
      '--validation <cases>',
      'cases kept out of training: a share such as 0.2, ids such as case7,case9, or a file (.json, .txt) of ids',
      heldOut('--validation'),
    )
    .option(
      '--fold <k>',
      'part k of n, such as 0/5, kept out of training; 0/all: one case; k alone: split k of the --validation file',
    )
    .option(
      '--sampling <kind>',
      'which cases come how often: uniform, or balanced by the classes that they hold',
      oneOf('--sampling', SAMPLINGS),
    )
    .option(
      '--checkpoint-every <n>',
      'steps between checkpoints and validations',
      count('--checkpoint-every'),
    )
    .option(
      '--best-by <measure>',
      'what the best checkpoint is best by: dice, dice:CLASS, loss; with --task classify auc, accuracy, loss',
    )
    .option(
      '--patience <n>',
      'end when n validations in a row were no better than the best before them',
      count('--patience'),
    )
    .option(
      '--clip-norm <norm>',
      'joint norm of the gradients at most; more is scaled down',
      positive('--clip-norm'),
    )
    .option(
      '--ema <decay>',
      'validate and keep running averages of the weights, such as 0.999',
      positive('--ema'),
    )
    .option(
      '--loss <terms>',
      `what is minimised, such as dice+ce (default), tversky+focal: ${LOSS_NAMES.join(', ')}`,
      lossTerms('--loss'),
    )
    .option(
      '--first-weights <kind>',
      `how weights begin: ${FIRST_WEIGHTS.join(', ')} (default: ${FIRST_WEIGHTS[0]})`,
      oneOf('--first-weights', FIRST_WEIGHTS),
    )
    .option(
      '--init <run>',
      'begin with the weights of a run or a .safetensors file, where names and shapes agree',
    )
    .option(
      '--freeze <patterns>',
      'weights that stay as they are: layers with stars, such as "down*,bottom"',
      listOf('--freeze', 'down*'),
    )
    .option('--deep-supervision', 'losses at lower resolutions too')
    .option(
      '--precision <type>',
      'how activations are stored: f32, bf16',
      oneOf('--precision', ['f32', 'bf16']),
    )
    .option(
      '--device <name>',
      `${DEVICE_WORDS.join(' or ')} (default: ${COMPUTING_DEVICES[0]})`,
      deviceChoice('--device'),
    )
    .option(
      '--threads <n>',
      'threads of the cpu device (default: all cores)',
      count('--threads', 1, MOST_THREADS),
    )
    .option('--seed <n>', 'seed of everything random', count('--seed', 0, 0xffffffff));
}
