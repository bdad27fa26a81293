import type { Command } from 'commander';
import { MOST_CASES } from '../../train/config/limits.ts';
import type { Flags } from '../actions/phantom.ts';
import { addOverwriteFlag } from '../flags/flags.ts';
import { count, oneOf, spacing } from '../flags/parse.ts';

/** `halomesh phantom` */
export function phantomCommand(program: Command): void {
  const command = program
    .command('phantom')
    .summary('write a synthetic CT or MR set with labels')
    .description(
      'Writes synthetic abdominal CT scans (body, spine, liver, vessels, lesions, noise; Hounsfield units) with labels ' +
        '(0 background, 1 liver, 2 tumour) as a Medical Segmentation Decathlon folder; with --modality mr channels of magnetic ' +
        'resonance (T1, T1ce, T2, FLAIR) of the same patients as an nnU-Net folder, with --regions those of heads with brain tumours. No patient data. Slices are ' +
        'written one by one, so that any size takes little memory.',
    )
    .requiredOption('--out <dir>', 'folder to write')
    .option('--size <n>', 'voxels along each side', count('--size', 8, 1024), 128)
    .option('--cases <n>', 'number of scans', count('--cases', 1, MOST_CASES), 4)
    .option(
      '--spacing <mm>',
      'voxel size (default: 384 mm / size, of heads 192 mm / size)',
      spacing('--spacing'),
    )
    .option(
      '--modality <name>',
      'what is scanned with: ct or mr',
      oneOf('--modality', ['ct', 'mr'] as const),
      'ct',
    )
    .option(
      '--channels <n>',
      'channels of each scan; more than one with --modality mr',
      count('--channels', 1, 4),
      1,
    )
    .option(
      '--regions',
      'heads with tumours whose labels are regions that overlap (whole, core, enhancing); with --modality mr',
    )
    .option('--ignore', 'a quarter of the slices is marked as not labelled; with --regions')
    .option('--seed <n>', 'the same seed gives the same files', count('--seed', 0, 0xffffffff), 0);
  addOverwriteFlag(command)
    .addHelpText('after', '\nExample:\n  halomesh phantom --out phantoms --size 64 --cases 2')
    .action(async (flags: Flags) => (await import('../actions/phantom.ts')).phantomAction(flags));
}
