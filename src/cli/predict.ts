import type { Command } from 'commander';
import type { Tracer } from '../run/index.ts';
import { predict } from '../train/index.ts';
import { addRunFlags, checkMeshFlags, type RunFlags } from './flags.ts';
import { joinRun, noteSplit, talks } from './processes.ts';
import { addTraceFlag, traced } from './trace.ts';
import { relative } from './words.ts';

interface Flags extends RunFlags {
  readonly input: string;
  readonly series?: string;
  readonly output: string;
  readonly trace?: string;
}

/** `halomesh predict` */
export function predictCommand(program: Command): void {
  const command = program
    .command('predict')
    .summary('segment a scan with a trained network')
    .description(
      'Segments a scan: a NIfTI, NRRD or MetaImage file, or a folder with a DICOM series. The output has the grid of the input, voxel for voxel, and the numbers of the classes.',
    );
  addTraceFlag(addRunFlags(command))
    .requiredOption('--input <file>', 'scan (.nii, .nii.gz, .hdr/.img, .nrrd, .mha, .mhd) or DICOM folder')
    .option('--series <uid>', 'which series of a DICOM folder to take, where it holds several')
    .requiredOption('--output <file>', 'NIfTI file to write (.nii or .nii.gz)')
    .addHelpText(
      'after',
      '\nExample:\n  halomesh predict --run runs/a --input scan.nii.gz --output liver.nii.gz --split depth=4',
    )
    .action(async (flags: Flags) => {
      checkMeshFlags(flags);
      const { trace, ...options } = flags;
      const joined = await joinRun(options);
      const run = (tracer: Tracer | undefined) =>
        predict({ ...options, ...joined, tracer, onSplit: noteSplit });
      const file = talks() ? trace : undefined;
      const { output, shape, voxels, checkpoint, step } = await traced(file, run, { endsAtOnce: true });
      if (!talks()) return;
      const all = shape[0] * shape[1] * shape[2];
      console.log(
        `${relative(output)}  ${shape.join(' x ')} voxels, ${checkpoint} checkpoint, ${step} steps`,
      );
      for (const [name, count] of Object.entries(voxels))
        console.log(
          `  ${name.padEnd(14)}${count.toLocaleString('en').padStart(12)}  ${((100 * count) / all).toFixed(2)} %`,
        );
    });
}
