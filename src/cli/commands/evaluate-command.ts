import type { Command } from 'commander';
import type { Flags } from '../actions/evaluate.ts';
import { addOverwriteFlag, addPatternFlags, addRunFlags } from '../flags/flags.ts';
import { listOf, numberOrNamed, positive } from '../flags/parse.ts';
import { addCleaningFlags, addFlipsFlag, addWholeVolumeFlag } from '../flags/segment-flags.ts';

/** `halomesh evaluate` */
export function evaluateCommand(program: Command): void {
  const command = program
    .command('evaluate')
    .summary('compare a trained network, or label maps, with the labels of a data set')
    .description(
      'Segments the labelled cases of a data set that were held out in training, or takes label maps from a folder, and scores them on the voxels of the ' +
        'label files: overlap, distances between surfaces, lesions found. Writes summary.json, summary.md and a picture of ' +
        'each case.',
    );
  addPatternFlags(
    addCleaningFlags(addWholeVolumeFlag(addFlipsFlag(addRunFlags(command, { optional: true })))),
  )
    .option('--predictions <dir>', 'compare label maps (CASE.nii.gz) instead of a network; needs no --run')
    .option(
      '--data <dir>',
      'data set (default: that of the run), or with --predictions a folder of label maps',
    )
    .option(
      '--cases <ids>',
      'only these cases, such as case7,case9 (default: those held out in training; without any, those that the run never saw; ' +
        'else those that it was trained on)',
      listOf('--cases', 'case7,case9'),
    )
    .option(
      '--all',
      'every case with a label map: held-out, unseen and training cases, each kind with means of its own',
    )
    .option(
      '--tolerance <mm>',
      'for the surface Dice: one number, or by class such as liver=3,tumour=1 (default: 2)',
      numberOrNamed('--tolerance', 'liver=3,tumour=1'),
    )
    .option(
      '--no-surfaces',
      'leave out distances between surfaces, and lesions unless --lesion names them: then no process holds a whole label map',
    )
    .option('--lesion <class>', 'class whose parts are counted as lesions, or none (default: by its name)')
    .option(
      '--lesion-iou <share>',
      'least intersection over union of a lesion that counts as found (default: any overlap)',
      positive('--lesion-iou'),
    )
    .option(
      '--out <dir>',
      'folder of the results (default: evaluation in the run, or the folder of --predictions)',
    )
    .option('--no-overlays', 'draw no pictures')
    .option('--json', 'print the whole report as JSON');
  addOverwriteFlag(command)
    .addHelpText(
      'after',
      '\nExamples:\n  halomesh evaluate --run runs/a --data ct --tolerance liver=3,tumour=1\n' +
        '  halomesh evaluate --run runs/a --flips --largest-component liver+tumour --inside tumour=liver\n' +
        '  halomesh evaluate --predictions segmentations --data ct --json',
    )
    .action(async (flags: Flags) => (await import('../actions/evaluate.ts')).evaluateAction(flags));
}
