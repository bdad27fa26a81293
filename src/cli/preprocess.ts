import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { fail } from '../core/index.ts';
import { type PreprocessedCase, preprocess, type Window } from '../imaging/index.ts';
import { addPatternFlags, type PatternFlags } from './flags.ts';
import { onInterrupt } from './interrupt.ts';
import { count, hounsfield, positive, UsageError } from './parse.ts';
import { showProgress } from './progress.ts';
import { errorLine, Interrupted } from './report-error.ts';
import { say } from './say.ts';
import { commandName, quoted, relative } from './words.ts';

interface Flags extends PatternFlags {
  readonly data: string;
  readonly out: string;
  readonly spacing?: number;
  readonly size?: number;
  readonly window?: Window;
  readonly jobs?: number;
}

/** Threads by default at most: each holds a scan. */
const MOST_JOBS = 8;

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
    .option('--spacing <mm>', 'resample every scan to this voxel size', positive('--spacing', ' (mm)'))
    .option('--size <n>', 'resample every scan to n x n x n voxels', count('--size'))
    .option(
      '--window <lo,hi>',
      'keep no more than these Hounsfield units, for less room; a training may look at any window within (default: all)',
      hounsfield('--window'),
    )
    .option(
      '--jobs <n>',
      `cases at a time, each in a thread and in memory (default: all cores, at most ${MOST_JOBS})`,
      count('--jobs'),
    )
    .addHelpText(
      'after',
      '\nExample:\n  halomesh preprocess --data ct --out stores/ct3 --spacing 3\n  halomesh train --data stores/ct3 --out runs/a',
    )
    .action(async ({ jobs, ...flags }: Flags) => {
      if (flags.spacing !== undefined && flags.size !== undefined)
        throw new UsageError({ where: '--spacing', problem: 'cannot stand beside --size' });
      let progress: ReturnType<typeof showProgress> | undefined;
      const interruption = onInterrupt(() => progress?.note('Stopping. Press Ctrl-C again to end at once.'));
      const onCase = ({ id, outcome, error, done, all }: PreprocessedCase): void => {
        progress ??= showProgress({ unit: 'case', total: all });
        if (error) progress.note(`case ${id} failed: ${errorLine(error)}`);
        progress.update(done, [outcome === 'kept' ? `${id} was there` : id]);
      };
      const begun = performance.now();
      try {
        const { written, kept, failed, interrupted } = await preprocess({
          ...flags,
          jobs: jobs ?? Math.min(MOST_JOBS, availableParallelism()),
          signal: interruption.signal,
          onCase,
        });
        progress?.stop();
        if (interrupted)
          throw new Interrupted(
            `stopped with ${written.length + kept.length} cases finished. The same command goes on`,
          );
        const seconds = ((performance.now() - begun) / 1000).toFixed(0);
        const before = kept.length > 0 ? `, ${kept.length} were there` : '';
        say(`${written.length} cases written to ${relative(flags.out)} in ${seconds} s${before}`);
        if (failed.length > 0)
          fail({
            where: flags.data,
            problem: `${failed.length} of ${written.length + kept.length + failed.length} cases could not be prepared: ${failed.map(({ id }) => id).join(', ')}`,
            hint: 'Repair them, or take them out of the data set, and run the same command again',
          });
        say(`Train on them: ${commandName()} train --data ${quoted(relative(flags.out))} --out RUN`);
      } finally {
        progress?.stop();
        interruption.stop();
      }
    });
}
