import type { Command } from 'commander';
import { MOST_SIZE, MOST_THREADS } from '../../train/config/limits.ts';
import type { Flags } from '../actions/preprocess.ts';
import { addPatternFlags, MOST_JOBS } from '../flags/flags.ts';
import { count, hounsfield, mpp, spacing } from '../flags/parse.ts';

/** `halomesh preprocess` */
export function preprocessCommand(program: Command): void {
  const command = program
    .command('preprocess')
    .summary('prepare a data set once, into a store that trainings read from')
    .description(
      'Turns all labelled scans of a data set to one orientation, resamples them where that is asked for, and writes them ' +
        'into a chunked Zarr store. --data of train, evaluate and plan takes the store in place of the data set: the same ' +
        'losses, and each rank reads only its own part of a scan. Finished cases are kept, so that the same command goes ' +
        'on after Ctrl-C or a full disk.',
    )
    .requiredOption('--data <dir>', 'data set: a Medical Segmentation Decathlon or nnU-Net v2 folder');
  addPatternFlags(command)
    .requiredOption('--out <store>', 'folder of the store')
    .option('--spacing <mm>', 'resample every scan to this voxel size', spacing('--spacing'))
    .option('--mpp <microns>', 'resample every picture to pixels of this size', mpp('--mpp'))
    .option('--size <n>', 'resample every scan to n x n x n voxels', count('--size', 1, MOST_SIZE))
    .option(
      '--window <lo,hi>',
      'keep no more than these Hounsfield units, for less room; a training may look at any window within (default: all)',
      hounsfield('--window'),
    )
    .option(
      '--jobs <n>',
      `cases at a time, each in a thread and in memory (default: all cores, at most ${MOST_JOBS})`,
      count('--jobs', 1, MOST_THREADS),
    )
    .addHelpText(
      'after',
      '\nExample:\n  halomesh preprocess --data ct --out stores/ct3 --spacing 3\n  halomesh train --data stores/ct3 --out runs/a',
    )
    .action(async (flags: Flags) => (await import('../actions/preprocess.ts')).preprocessAction(flags));
}
