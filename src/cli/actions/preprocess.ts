import { availableParallelism } from 'node:os';
import { fail } from '../../core/index.ts';
import { type IntensityWindow, type PreprocessedCase, preprocess } from '../../imaging/index.ts';
import { MOST_JOBS, type PatternFlags } from '../flags/flags.ts';
import { UsageError } from '../flags/parse.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { showProgress } from '../terminal/progress.ts';
import { errorLine, Interrupted } from '../terminal/report-error.ts';
import { say } from '../terminal/say.ts';
import { workUnread } from '../terminal/unread.ts';
import { commandName, quoted, relative } from '../terminal/words.ts';

export interface Flags extends PatternFlags {
  readonly data: string;
  readonly out: string;
  readonly spacing?: number;
  readonly mpp?: number;
  readonly size?: number;
  readonly window?: IntensityWindow;
  readonly jobs?: number;
}

/** Runs `halomesh preprocess`. */
export async function preprocessAction({ jobs, mpp, ...given }: Flags): Promise<void> {
  workUnread();
  if (mpp !== undefined && (given.spacing ?? given.size) !== undefined)
    throw new UsageError({ where: '--mpp', problem: 'cannot stand beside --spacing or --size' });
  const flags = mpp === undefined ? given : { ...given, spacing: mpp / 1000 };
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
}
