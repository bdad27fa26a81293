import path from 'node:path';
import type { Command } from 'commander';
import { writePhantom } from '../imaging/index.ts';
import { addOverwriteFlag } from './flags.ts';
import { count, positive } from './parse.ts';
import { showProgress } from './progress.ts';
import { say } from './say.ts';

interface Flags {
  readonly out: string;
  readonly size: number;
  readonly cases: number;
  readonly spacing?: number;
  readonly seed: number;
  readonly overwrite?: boolean;
}

/** `halomesh phantom` */
export function phantomCommand(program: Command): void {
  const command = program
    .command('phantom')
    .summary('write a synthetic abdominal CT set with labels')
    .description(
      'Writes synthetic abdominal CT scans (body, spine, liver, vessels, lesions, noise; Hounsfield units) with labels ' +
        '(0 background, 1 liver, 2 tumour) as a Medical Segmentation Decathlon folder. No patient data. Slices are ' +
        'written one by one, so that any size takes little memory.',
    )
    .requiredOption('--out <dir>', 'folder to write')
    .option('--size <n>', 'voxels along each side', count('--size', 8, 1024), 128)
    .option('--cases <n>', 'number of scans', count('--cases'), 4)
    .option('--spacing <mm>', 'voxel size (default: 384 mm / size)', positive('--spacing', ' (mm)'))
    .option('--seed <n>', 'the same seed gives the same files', count('--seed', 0, 0xffffffff), 0);
  addOverwriteFlag(command)
    .addHelpText('after', '\nExample:\n  halomesh phantom --out phantoms --size 64 --cases 2')
    .action(async (flags: Flags) => {
      const progress = showProgress({ unit: 'slice', total: flags.cases * flags.size });
      try {
        await writePhantom({
          ...flags,
          onProgress: (at) =>
            progress.update((at.case - 1) * at.slices + at.slice, [`case ${at.case} of ${at.cases}`]),
        });
      } finally {
        progress.stop();
      }
      const folder = path.relative('', flags.out) || '.';
      say(`${flags.cases} ${flags.cases === 1 ? 'case' : 'cases'} of ${flags.size}^3 written to ${folder}`);
      say(`Train on them: halomesh train --data ${folder} --out runs/phantom --steps 100`);
    });
}
