import type { Command } from 'commander';
import { MOST_CASES } from '../../train/config/limits.ts';
import type { Flags } from '../actions/cross-validate.ts';
import { count } from '../flags/parse.ts';
import { addTrainFlags } from '../flags/train-flags.ts';

/** `halomesh cross-validate` */
export function crossValidateCommand(program: Command): void {
  const command = program
    .command('cross-validate')
    .summary('train and judge all folds of a data set, with one summary')
    .description(
      'Trains a network for each fold in OUT/fold_K, as train does, evaluates it on the cases that it did not see, and writes ' +
        'summary.json and summary.md of all cases. The same command goes on after Ctrl-C: what is finished is kept. One process.',
    );
  addTrainFlags(command)
    .option(
      '--folds <n>',
      'parts that the seed draws of the cases (default: 5, or the splits of a --validation file)',
      count('--folds', 2, MOST_CASES),
    )
    .option('--no-surfaces', 'leave out distances between surfaces in the evaluations')
    .addHelpText(
      'after',
      '\nExamples:\n  halomesh cross-validate --data ct --out runs/cv --spacing 3 --folds 5\n' +
        '  halomesh cross-validate --data ct --out runs/cv --validation splits_final.json',
    )
    .action(async (flags: Flags) =>
      (await import('../actions/cross-validate.ts')).crossValidateAction(flags),
    );
}
