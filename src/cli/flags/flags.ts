import type { Command } from 'commander';
import { checkLayout, type Layout, type Mesh, mesh as makeMesh } from '../../core/index.ts';
import { DEVICE_WORDS, type DeviceChoice } from '../../machine/device-names.ts';
import { TRANSPORTS } from '../../machine/mpi/transports.ts';
// Of train only what is light to load: declarations of flags are loaded for help and mistakes too.
import { LEAST_MEMORY, MOST_THREADS } from '../../train/config/limits.ts';
import { byteCount, count, deviceChoice, layout, mesh, oneOf, split, UsageError } from './parse.ts';
import { labelMapping } from './parse-training.ts';

// Flags that more than one command takes. A flag's name in camel case is its key in a config file.

/** Flags of a mesh, as a config has them. */
export interface MeshFlags {
  readonly split?: Readonly<Record<string, number>> | 'auto';
  readonly mesh?: Readonly<Record<string, number>>;
  readonly layout?: Readonly<Record<string, string>>;
}

/** How the work is shared among ranks. */
export function addMeshFlags(command: Command): Command {
  return addTransportFlag(command)
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

/** `--transport`, which is said to all that is opened by its variable: it decides no result. */
function addTransportFlag(command: Command): Command {
  return command
    .option(
      '--transport <way>',
      'messages between GPUs: auto (default), pinned memory of the host, ipc between processes of one machine, mpi',
      oneOf('--transport', TRANSPORTS),
    )
    .hook('preAction', (_, action) => {
      const flags: { transport?: string } = action.opts();
      if (flags.transport !== undefined) process.env.HALOMESH_TRANSPORT = flags.transport;
      // It is no setting of a run.
      delete flags.transport;
    });
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
  readonly imageLabels?: string;
  readonly mapLabels?: Readonly<Record<string, number | 'ignore'>>;
  readonly resampleTilt?: boolean;
}

/** Which files of a folder are its images and label maps, where it is no Decathlon or nnU-Net folder, and the labels of whole images. */
export function addPatternFlags(command: Command, { imageLabels = true } = {}): Command {
  if (imageLabels)
    command.option('--image-labels <file>', 'the class of each image as a whole: a table id,label (.csv)');
  return command
    .option('--images <pattern>', 'images of any other folder, with a star for the id: "*_ct.nii.gz"')
    .option('--labels <pattern>', 'their label maps: "*_seg.nii.gz"')
    .option(
      '--map-labels <values>',
      'what values of label maps stand for: "4=3,9=ignore" (left out of training and scores)',
      labelMapping('--map-labels'),
    )
    .option(
      '--resample-tilt',
      'resample scans whose axes lean (gantry tilt) to upright grids, and their label maps with them',
    );
}

/** How a trained network is run, in place of what its run says. */
export interface RunFlags extends MeshFlags, MemoryFlags {
  readonly run: string;
  readonly checkpoint?: 'best' | 'latest';
  readonly device?: DeviceChoice;
  readonly threads?: number;
  readonly exactConv?: 'auto' | 'direct';
}

/** Flags of the commands that use a trained network; `optional`: of those that can do without; `several`: of those that average some. */
export function addRunFlags(command: Command, { optional = false, several = false } = {}): Command {
  const run = ['--run <run>', 'folder of the run: what was --out of train'] as const;
  const runs = '; given again, the mean of the probabilities of all runs';
  if (several)
    command.requiredOption(
      run[0],
      `${run[1]}, or a file of export --web${runs}`,
      (text, before: readonly string[] = []) => [...before, text],
    );
  else if (optional) command.option(...run);
  else command.requiredOption(...run);
  command.option(
    '--checkpoint <which>',
    'best or latest (default: best, where there is one)',
    oneOf('--checkpoint', ['best', 'latest']),
  );
  return addConvFlag(addMemoryFlags(addMeshFlags(command)))
    .option(
      '--device <name>',
      `${DEVICE_WORDS.join(' or ')} (default: that of the run)`,
      deviceChoice('--device'),
    )
    .option(
      '--threads <n>',
      'threads of the cpu device (default: those of the run)',
      count('--threads', 1, MOST_THREADS),
    );
}
