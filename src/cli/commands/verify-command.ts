import type { Command } from 'commander';
import { addPatternFlags } from '../flags/flags.ts';
import { EXIT } from '../terminal/report-error.ts';

/** `halomesh verify` */
export function verifyCommand(program: Command): void {
  const command = program
    .command('verify <dir>')
    .summary('check every file of a data set')
    .description(
      'Reads every case of a data set to the last byte: whether it can be read, geometry of image and label map, label ' +
        'values, finite voxels, constant images, the same scan twice. Unusual spacings and values are warnings. Ends with ' +
        `${EXIT.failed} where there are faults.`,
    );
  addPatternFlags(command)
    .option('--json', 'print the whole report as JSON')
    .addHelpText('after', '\nExample:\n  halomesh verify ct')
    .action(async (dir: string, flags: Parameters<typeof import('../actions/verify.ts').verifyAction>[1]) =>
      (await import('../actions/verify.ts')).verifyAction(dir, flags),
    );
}
