import type { Command } from 'commander';
import { MOST_RANKS } from '../../train/config/limits.ts';
import type { Flags } from '../actions/plan.ts';
import { count } from '../flags/parse.ts';
import { addTrainFlags } from '../flags/train-flags.ts';

/** `halomesh plan` */
export function planCommand(program: Command): void {
  const command = program
    .command('plan')
    .summary('say what a training step needs, without running anything')
    .description(
      'Takes the flags of train and prints the mesh, the boxes of every rank, parameters, work, the collectives with ' +
        'their bytes and the predicted peak memory of a training step. Of a data set it plans the largest case; with ' +
        '--size and without --data it needs no data set.',
    );
  addTrainFlags(command)
    .option(
      '--classes <n>',
      'number of classes where no data set says it (default: 3)',
      count('--classes', 2, 256),
    )
    .option(
      '--ranks <n>',
      'processes, of one rank each, that --split auto plans for (default: 1)',
      count('--ranks', 1, MOST_RANKS),
    )
    .option('--json', 'print the plan as JSON')
    .addHelpText(
      'after',
      `
Examples:
  halomesh plan --size 128 --base 16 --split depth=2,height=2,width=2
  halomesh plan --data ct --spacing 3 --mesh rows=2,cols=2 --layout depth:rows,height:cols --json`,
    )
    .action(async (flags: Flags) => (await import('../actions/plan.ts')).planAction(flags));
}
