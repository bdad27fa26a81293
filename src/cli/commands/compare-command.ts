import type { Command } from 'commander';
import type { Flags } from '../actions/compare.ts';

/** `halomesh compare` */
export function compareCommand(program: Command): void {
  program
    .command('compare <first> <second>')
    .summary('compare two evaluations case by case, with a paired test')
    .description(
      'Takes two runs that were evaluated, two cross-validations, or two summary.json, and prints the Dice of every case that both ' +
        'have, the means, and the p of a signed-rank test for each class. Of runs that tell the classes of images as wholes: the AUC of both ' +
        'on the same images, and the p of the test of DeLong.',
    )
    .option('--json', 'print the comparison as JSON')
    .addHelpText('after', '\nExample:\n  halomesh compare runs/a runs/b')
    .action(async (first: string, second: string, flags: Flags) =>
      (await import('../actions/compare.ts')).compareAction(first, second, flags),
    );
}
