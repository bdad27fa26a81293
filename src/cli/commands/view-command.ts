import type { Command } from 'commander';
import type { ViewFlags } from '../actions/view.ts';
import { addOverwriteFlag } from '../flags/flags.ts';
import { count, repeated } from '../flags/parse.ts';

/** `halomesh view` */
export function viewCommand(program: Command): void {
  const command = program
    .command('view')
    .summary('look at scans, segmentations and trainings in a browser')
    .description(
      'Opens a page on this machine alone (127.0.0.1, behind a random token) that shows scans and slides with truth and prediction, the ' +
        'cases from the worst to the best, the places of lesions, and the training of a run, also while it goes on. ' +
        'Takes runs, data sets, folders of segmentations or scans, and files. Runs until Ctrl-C.',
    )
    .argument(
      '<paths...>',
      'folders of runs, segmentations (with a summary.json of evaluate), data sets or scans; files of scans',
    )
    .option(
      '--predictions <path>',
      'folder with a label map for each case, or label map of the one scan; can be given again, to compare',
      repeated,
    )
    .option('--truth <file>', 'label map of the one scan')
    .option('--port <n>', 'port of the page; any free one by default', count('--port', 1, 65535))
    .option('--save <file>', 'write one HTML file that needs no server, for mailing, and end')
    .option(
      '--case <id>',
      'whose scan goes into the file; the worst by default; can be given again',
      repeated,
    );
  addOverwriteFlag(command)
    .addHelpText(
      'after',
      `
Segmentations of a run are looked for in RUN/predictions: halomesh predict --run RUN --input DATA/imagesTr --output RUN/predictions

Examples:
  halomesh view runs/a
  halomesh view runs/a runs/b
  halomesh view scan.nii.gz --truth liver.nii.gz --predictions mine.nii.gz
  halomesh view slide.svs --truth mask.png --predictions outlines.geojson
  halomesh view runs/a --save report.html --case case_7`,
    )
    .action(async (paths: string[], flags: ViewFlags) =>
      (await import('../actions/view.ts')).viewAction(paths, flags),
    );
}
