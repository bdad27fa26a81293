import type { Command } from 'commander';
import { checkLayout, type Layout, type Mesh, mesh as makeMesh } from '../../core/index.ts';
import { DEVICE_CHOICES, type DeviceChoice } from '../../machine/device-names.ts';
import { LOSS_NAMES } from '../../nn/loss/loss-names.ts';
// Of train only what is light to load: declarations of flags are loaded for help and mistakes too.
import { AUGMENTATIONS } from '../../train/config/choices.ts';
import { PRESETS, SAMPLINGS } from '../../train/config/config-type.ts';
import {
  LEAST_MEMORY,
  MOST_BATCH,
  MOST_CHANNELS,
  MOST_SIZE,
  MOST_SLICES,
  MOST_STEPS,
  MOST_THREADS,
} from '../../train/config/limits.ts';
import {
  byteCount,
  count,
  heldOut,
  hounsfield,
  layout,
  mesh,
  oneOf,
  patch,
  positive,
  spacing,
  split,
  UsageError,
} from './parse.ts';
import { labelMapping, lossTerms } from './parse-training.ts';

// Flags that more than one command takes. A flag's name in camel case is its key in a config file.

/** Flags of a mesh, as a config has them. */
export interface MeshFlags {
  readonly split?: Readonly<Record<string, number>> | 'auto';
  readonly mesh?: Readonly<Record<string, number>>;
  readonly layout?: Readonly<Record<string, string>>;
}

/** How the work is shared among ranks. */
export function addMeshFlags(command: Command): Command {
  return command
    .option(
      '--split <parts>',
      'parts to cut dimensions into, such as depth=2,height=2,width=2; auto: those of least predicted time, for as many ranks as are started',
      split('--split'),
    )
    .option('--mesh <ranks>', 'ranks along each axis of a mesh, such as rows=2,cols=2', mesh('--mesh'))
    .option(
      '--layout <axes>',
      'mesh axis that cuts a dimension, such as depth:rows,height:cols',
      layout('--layout'),
    );
}

/** `--trace` */
export function addTraceFlag(command: Command): Command {
  return command.option(
    '--trace <file>',
    'write what every kernel did and when, over the last 20 runs, for ui.perfetto.dev',
  );
}

/** Whether outputs that are there are replaced. */
export function addOverwriteFlag(command: Command): Command {
  return command.option('--overwrite', 'replace outputs that are there; never files that are read');
}

/** Flags of the memory plan. */
export interface MemoryFlags {
  readonly memoryLimit?: number;
  readonly spillDir?: string;
}

/** How much memory a process may take, and where the rest goes. */
export function addMemoryFlags(command: Command): Command {
  return command
    .option(
      '--memory-limit <bytes>',
      'resident memory at most, such as 20GiB: what does not fit is recomputed or spilled to a file',
      byteCount('--memory-limit', LEAST_MEMORY),
    )
    .option('--spill-dir <dir>', "folder of that file (default: the system's folder for temporary files)");
}

/** Whether convolutions may be computed by Winograd's filtering. */
export function addConvFlag(command: Command): Command {
  return command.option(
    '--exact-conv <how>',
    "auto: by Winograd's filtering where it is faster; direct: sums in order, everywhere (default: auto)",
    oneOf('--exact-conv', ['auto', 'direct']),
  );
}

/** Refuses a layout without a mesh and a mesh beside a split. */
export function checkMeshFlags(flags: MeshFlags): void {
  const refuse = (where: string, problem: string, hint: string): never => {
    throw new UsageError({ where, problem, hint });
  };
  if (flags.split && (flags.mesh || flags.layout))
    refuse('--split', `cannot stand beside --${flags.mesh ? 'mesh' : 'layout'}`, 'Give one or the other');
  if (flags.mesh && !flags.layout)
    refuse(
      '--mesh',
      'needs --layout',
      'Say which dimension each axis cuts, such as --layout depth:rows,height:cols',
    );
}

/** The mesh and layout that flags ask for; one rank by default. */
export function placement({ split: parts, mesh: ranks, layout: axes }: MeshFlags): {
  mesh: Mesh;
  layout: Layout;
} {
  if (parts === 'auto') return { mesh: makeMesh({}), layout: {} };
  if (parts)
    return {
      mesh: makeMesh(parts, '--split'),
      layout: Object.fromEntries(Object.keys(parts).map((d) => [d, d])),
    };
  const mesh = makeMesh(ranks ?? {}, '--mesh');
  checkLayout(mesh, axes ?? {}, '--layout');
  return { mesh, layout: axes ?? {} };
}

/** Threads of `preprocess` by default at most: each holds a scan. */
export const MOST_JOBS = 8;

/** Patterns of the files of a data set, as `openDataset` takes them. */
export interface PatternFlags {
  readonly images?: string;
  readonly labels?: string;
  readonly mapLabels?: Readonly<Record<string, number | 'ignore'>>;
}

/** Which files of a folder are its images and label maps, where it is no Decathlon or nnU-Net folder. */
export function addPatternFlags(command: Command): Command {
  return command
    .option('--images <pattern>', 'images of any other folder, with a star for the id: "*_ct.nii.gz"')
    .option('--labels <pattern>', 'their label maps: "*_seg.nii.gz"')
    .option(
      '--map-labels <values>',
      'what values of label maps stand for: "4=3,9=ignore" (left out of training and scores)',
      labelMapping('--map-labels'),
    );
}

/** Flags of `train` that stand for keys of a config. */
export interface TrainFlags extends MeshFlags, MemoryFlags, PatternFlags {
  readonly threads?: number;
  readonly config?: string;
  readonly data?: string;
  readonly out?: string;
  readonly resume?: boolean;
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
    .option('--size <n>', 'resample every scan to n x n x n voxels', count('--size', 1, MOST_SIZE))
    .option('--spacing <mm>', 'resample every scan to this voxel size', spacing('--spacing'))
    .option(
      '--window <lo,hi>',
      'Hounsfield units that become 0 and 1 (default: those of the preset, or of a store)',
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
    .option('--base <n>', 'channels of the first level', count('--base', 1, MOST_CHANNELS))
    .option('--levels <n>', 'resolutions of the network', count('--levels', 1, 10))
    .option('--steps <n>', 'training steps', count('--steps', 1, MOST_STEPS))
    .option('--batch <n>', 'scans in a step; with --slices the slices of it', count('--batch', 1, MOST_BATCH))
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
    .option('--best-by <measure>', 'what the best checkpoint is best by: dice, dice:CLASS, loss')
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
    .option('--deep-supervision', 'losses at lower resolutions too')
    .option(
      '--precision <type>',
      'how activations are stored: f32, bf16',
      oneOf('--precision', ['f32', 'bf16']),
    )
    .option(
      '--device <name>',
      `${DEVICE_CHOICES.join(' or ')} (default: ${DEVICE_CHOICES[0]})`,
      oneOf('--device', DEVICE_CHOICES),
    )
    .option(
      '--threads <n>',
      'threads of the cpu device (default: all cores)',
      count('--threads', 1, MOST_THREADS),
    )
    .option('--seed <n>', 'seed of everything random', count('--seed', 0, 0xffffffff));
}

/** How a trained network is run, in place of what its run says. */
export interface RunFlags extends MeshFlags, MemoryFlags {
  readonly run: string;
  readonly checkpoint?: 'best' | 'latest';
  readonly device?: DeviceChoice;
  readonly threads?: number;
  readonly exactConv?: 'auto' | 'direct';
}

/** Flags of the commands that use a trained network; `optional`: of those that can do without. */
export function addRunFlags(command: Command, { optional = false } = {}): Command {
  const run = ['--run <run>', 'folder of the run: what was --out of train'] as const;
  (optional ? command.option(...run) : command.requiredOption(...run)).option(
    '--checkpoint <which>',
    'best or latest (default: best, where there is one)',
    oneOf('--checkpoint', ['best', 'latest']),
  );
  return addConvFlag(addMemoryFlags(addMeshFlags(command)))
    .option(
      '--device <name>',
      `${DEVICE_CHOICES.join(' or ')} (default: that of the run)`,
      oneOf('--device', DEVICE_CHOICES),
    )
    .option(
      '--threads <n>',
      'threads of the cpu device (default: those of the run)',
      count('--threads', 1, MOST_THREADS),
    );
}
