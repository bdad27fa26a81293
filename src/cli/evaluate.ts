import type { Command } from 'commander';
import { evaluate, formatEvaluation } from '../train/index.ts';
import { addPatternFlags, addRunFlags, checkMeshFlags, type PatternFlags, type RunFlags } from './flags.ts';
import { joinRun, talks } from './processes.ts';
import { showProgress } from './progress.ts';
import { relative } from './words.ts';

interface Flags extends RunFlags, PatternFlags {
  readonly data?: string;
  readonly json?: boolean;
}

/** `halomesh evaluate` */
export function evaluateCommand(program: Command): void {
  const command = program
    .command('evaluate')
    .summary('compare a trained network with the labels of a data set')
    .description(
      'Segments every labelled case of a data set and prints the Dice of each class, for each case and over all voxels, ' +
        'on the voxels of the label files.',
    );
  addPatternFlags(addRunFlags(command).option('--data <dir>', 'data set (default: that of the run)'))
    .option('--json', 'print the whole report as JSON')
    .addHelpText('after', '\nExample:\n  halomesh evaluate --run runs/a --data ct --json')
    .action(async ({ json, ...flags }: Flags) => {
      checkMeshFlags(flags);
      let progress: ReturnType<typeof showProgress> | undefined;
      const joined = await joinRun(flags);
      const report = await evaluate({
        ...flags,
        ...joined,
        onCase: (id, done, all) => {
          progress ??= showProgress({ unit: 'case', total: all, silent: !talks() });
          progress.update(done, [id]);
        },
      }).finally(() => progress?.stop());
      if (!talks()) return;
      if (json) console.log(JSON.stringify(report, null, 2));
      else {
        console.log(`${relative(report.run)}, ${report.checkpoint} checkpoint, ${report.step} steps; Dice:`);
        console.log(formatEvaluation(report));
      }
    });
}
