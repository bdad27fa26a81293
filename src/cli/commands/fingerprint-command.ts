import type { Command } from 'commander';
import type { Flags } from '../actions/fingerprint.ts';
import { addOverwriteFlag, addPatternFlags } from '../flags/flags.ts';

/** `halomesh fingerprint` */
export function fingerprintCommand(program: Command): void {
  const command = program
    .command('fingerprint <dir>')
    .summary('spacings, sizes, shares of the labels and intensities beneath them')
    .description(
      'Reads all cases with a label map and tells spacings, sizes and orientations, the share of each label, and mean, ' +
        'standard deviation and percentiles of the voxels beneath it, for each case and over all.',
    );
  addOverwriteFlag(addPatternFlags(command))
    .option('--out <file>', 'JSON file to write')
    .option('--json', 'print the JSON in place of tables')
    .addHelpText('after', '\nExample:\n  halomesh fingerprint ct --out fingerprint.json')
    .action(async (dir: string, flags: Flags) =>
      (await import('../actions/fingerprint.ts')).fingerprintAction(dir, flags),
    );
}
