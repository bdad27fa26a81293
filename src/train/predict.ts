import path from 'node:path';
import { fail } from '../core/index.ts';
import { loadCase, restoreLabels, type Shape3, writeNifti } from '../imaging/index.ts';
import { prepareOptions } from './model.ts';
import { openRun, type RunOptions } from './open-run.ts';
import { exists } from './run-check.ts';

export interface PredictOptions extends RunOptions {
  /** The scan: a NIfTI, NRRD or MetaImage file, or the folder of a DICOM series. */
  readonly input: string;
  /** SeriesInstanceUID of the scan, where its folder holds several series. */
  readonly series?: string;
  /** NIfTI file to write, `.nii` or `.nii.gz`; replaced if it is there. */
  readonly output: string;
}

export interface PredictResult {
  readonly output: string;
  /** Voxels of the file: depth, height, width. */
  readonly shape: Shape3;
  /** Voxels of each class, by name. */
  readonly voxels: Readonly<Record<string, number>>;
  readonly checkpoint: 'best' | 'latest';
  /** Steps that the network was trained for. */
  readonly step: number;
}

/**
 * Segments a scan: class numbers as bytes, voxel for voxel on the grid of the input. The output gets its name when it is whole.
 */
export async function predict(options: PredictOptions): Promise<PredictResult> {
  const { input, output, series } = options;
  // Known before the work and not after it.
  if (!/\.nii(\.gz)?$/i.test(output))
    fail({
      where: output,
      problem: 'name of the output',
      expected: 'a name that ends in .nii or .nii.gz',
      found: path.basename(output),
    });
  if (!(await exists(path.dirname(path.resolve(output)))))
    fail({ where: output, problem: 'its folder is not there', hint: 'Make the folder first' });
  const run = await openRun(options);
  try {
    const prepared = await loadCase(
      { id: path.basename(input), image: input, series },
      prepareOptions(run.config),
    );
    const restored = restoreLabels(await run.segment(prepared), prepared);
    if ((options.processes?.host ?? 0) === 0) await writeNifti(output, restored, { type: 'uint8' });
    const counts = run.classes.map(() => 0);
    const { data } = restored;
    for (let n = 0; n < data.length; n++) counts[data[n]]++;
    return {
      output,
      shape: restored.shape,
      voxels: Object.fromEntries(run.classes.map((name, cls) => [name, counts[cls]])),
      checkpoint: run.checkpoint,
      step: run.step!,
    };
  } finally {
    run.free();
  }
}
