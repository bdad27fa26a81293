import type { Command } from 'commander';
import type { Flags } from '../actions/fake-lesions.ts';
import { addOverwriteFlag, addPatternFlags } from '../flags/flags.ts';
import { count, share } from '../flags/parse.ts';

/** `halomesh fake-lesions` */
export function fakeLesionsCommand(program: Command): void {
  const command = program
    .command('fake-lesions')
    .summary('write a data set again, with made-up lesions')
    .description(
      'Writes a data set again. In cases drawn with a probability the real lesions are brightened to the organ around ' +
        'them, and smooth dark blobs over 6 to 24 % of the organ become the new ones (Hou et al. 2019). All other cases ' +
        'are written as they are.',
    )
    .requiredOption('--data <dir>', 'data set with labels')
    .requiredOption('--out <dir>', 'folder to write');
  addPatternFlags(command, { imageLabels: false })
    .option('--probability <p>', 'of a case to get fake lesions', share('--probability'), 0.5)
    .option('--organ <label>', 'label value of the organ', count('--organ', 0, 255), 1)
    .option('--lesion <label>', 'label value of lesions', count('--lesion', 0, 255), 2)
    .option('--seed <n>', 'the same seed gives the same files', count('--seed', 0, 0xffffffff), 0);
  addOverwriteFlag(command)
    .addHelpText('after', '\nExample:\n  halomesh fake-lesions --data phantoms --out phantoms-fake')
    .action(async (flags: Flags) => (await import('../actions/fake-lesions.ts')).fakeLesionsAction(flags));
}
