import type { Command } from 'commander';
import { MOST_CASES } from '../../train/config/limits.ts';
import type { Flags } from '../actions/phantom.ts';
import { addOverwriteFlag } from '../flags/flags.ts';
import { count, oneOf, positive, share, spacing } from '../flags/parse.ts';

/** `halomesh phantom` */
export function phantomCommand(program: Command): void {
  const command = program
    .command('phantom')
    .summary('write a synthetic set of CT, MR or stained slides with labels')
    .description(
      'Writes synthetic abdominal CT scans (body, spine, liver, vessels, lesions, noise; Hounsfield units) with labels ' +
        '(0 background, 1 liver, 2 tumour) as a Medical Segmentation Decathlon folder; with --modality mr channels of magnetic ' +
        'resonance (T1, T1ce, T2, FLAIR) of the same patients as an nnU-Net folder, with --regions those of heads with brain tumours; ' +
        'with --modality pathology slides of tissue stained with haematoxylin and eosin (pyramids of tiles in TIFF, 0 background, 1 tissue, 2 gland, ' +
        '3 inflammation, 4 tumour) as an nnU-Net folder, with outlines as GeoJSON. No patient data. Slices and tiles are ' +
        'written one by one, so that any size takes little memory.',
    )
    .requiredOption('--out <dir>', 'folder to write')
    .option(
      '--size <n>',
      'voxels along each side (default: 128, at most 1024; of slides 4096 pixels, at most 131072)',
      count('--size', 8, 2 ** 17),
    )
    .option('--cases <n>', 'number of scans', count('--cases', 1, MOST_CASES), 4)
    .option(
      '--spacing <mm>',
      'voxel size (default: 384 mm / size, of heads 192 mm / size)',
      spacing('--spacing'),
    )
    .option(
      '--modality <name>',
      'what is scanned with: ct, mr or pathology',
      oneOf('--modality', ['ct', 'mr', 'pathology'] as const),
      'ct',
    )
    .option(
      '--channels <n>',
      'channels of each scan (default: 1); more than one with --modality mr',
      count('--channels', 1, 4),
    )
    .option(
      '--regions',
      'heads with tumours whose labels are regions that overlap (whole, core, enhancing); with --modality mr',
    )
    .option('--ignore', 'a quarter of the slices is marked as not labelled; with --regions')
    .option('--mpp <microns>', 'of slides: microns from pixel to pixel (default: 0.5)', positive('--mpp'))
    .option(
      '--tissue <share>',
      'of slides: the part that tissue covers, such as 0.02 (default: 0.75)',
      share('--tissue'),
    )
    .option(
      '--healthy',
      'every second patient has no lesion, the others many (slides: no tumour), and dataset.json says the class of each',
    )
    .option('--seed <n>', 'the same seed gives the same files', count('--seed', 0, 0xffffffff), 0);
  addOverwriteFlag(command)
    .addHelpText(
      'after',
      '\nExamples:\n  halomesh phantom --out phantoms --size 64 --cases 2\n  halomesh phantom --out slides --modality pathology --size 8192 --cases 3',
    )
    .action(async (flags: Flags) => (await import('../actions/phantom.ts')).phantomAction(flags));
}
