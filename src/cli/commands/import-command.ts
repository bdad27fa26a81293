import type { Command } from 'commander';
import type { Flags } from '../actions/import.ts';
import { oneOf } from '../flags/parse.ts';

/** `halomesh import` */
export function importCommand(program: Command): void {
  program
    .command('import')
    .summary('make a run of a network that was trained elsewhere')
    .description(
      'Makes a run of a result of nnU-Net v2 (plans.json, dataset.json and a checkpoint), for predict, evaluate and export. ' +
        'Nothing in the checkpoint is executed. A network that cannot be represented is refused by the name of what cannot.',
    )
    .requiredOption('--nnunet <dir>', 'folder of the result: nnUNetTrainer__nnUNetPlans__3d_fullres')
    .requiredOption('--out <run>', 'folder of the run to make')
    .option('--fold <k>', 'which fold, such as 0 or all (default: the only one)')
    .option(
      '--checkpoint <which>',
      'final or best (default: final)',
      oneOf('--checkpoint', ['final', 'best']),
    )
    .addHelpText(
      'after',
      '\nExample:\n  halomesh import --nnunet Dataset003_Liver/nnUNetTrainer__nnUNetPlans__3d_fullres --fold 0 --out runs/liver\n' +
        '  halomesh predict --run runs/liver --input scan.nii.gz --output liver.nii.gz',
    )
    .action(async (flags: Flags) => (await import('../actions/import.ts')).importAction(flags));
}
