import type { Command } from 'commander';
import { labelFormats } from '../../imaging/formats/segmentation/label-formats.ts';
import { MOST_SIZE } from '../../train/config/limits.ts';
import type { Flags } from '../actions/predict.ts';
import { addOverwriteFlag, addRunFlags, addTraceFlag } from '../flags/flags.ts';
import { count, oneOf } from '../flags/parse.ts';
import { addCleaningFlags, addFlipsFlag, addWholeVolumeFlag } from '../flags/segment-flags.ts';

/** `halomesh predict` */
export function predictCommand(program: Command): void {
  const command = program
    .command('predict')
    .summary('segment scans with a trained network')
    .description(
      'Segments a scan (a NIfTI, NRRD or MetaImage file, or a folder with a DICOM series), or all scans of a folder. The output has the grid of the input, voxel for voxel, and the numbers of the classes. A volume that does not fit in memory, or in --memory-limit, is computed in blocks, with the same result.',
    );
  addTraceFlag(addRunFlags(command, { several: true }))
    .requiredOption(
      '--input <path>',
      'scan (.nii, .nii.gz, .hdr/.img, .nrrd, .mha, .mhd), DICOM folder, or folder of scans; of several channels a_0000.nii.gz,a_0001.nii.gz... or a folder with such files',
    )
    .option(
      '--series <series>',
      'which series of a DICOM folder to take, where it holds several: its UID, number or description',
    )
    .option(
      '--volume <n>',
      'which volume of a file or series to take, counted from 0, where it holds several: phases, echoes, values of b',
      count('--volume', 0),
    )
    .option(
      '--resample-tilt',
      'segment scans whose axes lean (gantry tilt) on an upright grid, and bring labels back to their voxels',
    )
    .requiredOption(
      '--output <path>',
      'file to write (.nii, .nii.gz, .nrrd, .seg.nrrd, .mha, .dcm for a segmentation of a DICOM series, or .tif for a picture), or a folder for NAME.nii.gz (of a picture NAME.tif) of each scan',
    )
    .option(
      '--format <format>',
      `format of the label maps, in place of the one that the name of the output says: ${labelFormats.join(', ')}`,
      oneOf('--format', labelFormats),
    )
    .option(
      '--label-names',
      'write the names of labels too: into NIfTI files, and as NAME_labels.txt for ITK-SNAP',
    )
    .option(
      '--outlines',
      'of pictures: write the outlines of classes too, as QuPath reads them: NAME.geojson',
    )
    .option('--probabilities', 'write the probability of each class too: NAME_probability_CLASS.nii.gz')
    .option(
      '--probabilities-downsample <n>',
      'with voxels n times as large',
      count('--probabilities-downsample', 1, MOST_SIZE),
    );
  command
    .option('--one-file-per-class', 'write a mask of each class too, or region: NAME/CLASS.nii.gz')
    .option(
      '--statistics',
      'write volumes (ml), mean intensities and the parts of lesions too: NAME_statistics.json and .csv',
    );
  addOverwriteFlag(addCleaningFlags(addWholeVolumeFlag(addFlipsFlag(command))))
    .addHelpText(
      'after',
      '\nExamples:\n  halomesh predict --run runs/a --input scan.nii.gz --output liver.nii.gz --memory-limit 4GiB\n' +
        '  halomesh predict --run runs/a --input scans --output labels --flips --largest-component liver+tumour\n' +
        '  halomesh predict --run cv/fold_0 --run cv/fold_1 --run cv/fold_2 --input scans --output labels',
    )
    .action(async (flags: Flags) => (await import('../actions/predict.ts')).predictAction(flags));
}
