import path from 'node:path';
import type { Command } from 'commander';
import { writeFakeLesions } from '../imaging/index.ts';
import { addOverwriteFlag } from './flags.ts';
import { count, share } from './parse.ts';
import { showProgress } from './progress.ts';
import { say } from './say.ts';

interface Flags {
  readonly data: string;
  readonly out: string;
  readonly probability: number;
  readonly organ: number;
  readonly lesion: number;
  readonly seed: number;
  readonly overwrite?: boolean;
}

/** `halomesh fake-lesions` */
export function fakeLesionsCommand(program: Command): void {
  const command = program
    .command('fake-lesions')
    .summary('write a data set again, with made-up lesions')
    .description(
      'Writes a data set again. In cases drawn with a probability the real lesions are brightened to the organ around ' +
        'them, and smooth dark blobs over 6 to 24 % of the organ become the new ones (Hou et al. 2019). All other cases ' +
        'are written as they are.',
    )
    .requiredOption('--data <dir>', 'data set with labels')
    .requiredOption('--out <dir>', 'folder to write')
    .option('--probability <p>', 'of a case to get fake lesions', share('--probability'), 0.5)
    .option('--organ <label>', 'label value of the organ', count('--organ', 0, 255), 1)
    .option('--lesion <label>', 'label value of lesions', count('--lesion', 0, 255), 2)
    .option('--seed <n>', 'the same seed gives the same files', count('--seed', 0, 0xffffffff), 0);
  addOverwriteFlag(command)
    .addHelpText('after', '\nExample:\n  halomesh fake-lesions --data phantoms --out phantoms-fake')
    .action(async (flags: Flags) => {
      let progress: ReturnType<typeof showProgress> | undefined;
      try {
        const reports = await writeFakeLesions({
          ...flags,
          onCase: ({ id, outcome }, done, total) => {
            progress ??= showProgress({ unit: 'case', total });
            progress.update(done, [`${id} ${outcome}`]);
          },
        });
        progress?.stop();
        for (const { id, outcome, before, after } of reports)
          say(
            `${id}: ${outcome === 'made' ? `${before} lesion voxels before, ${after} now` : words[outcome]}`,
          );
        const folder = path.relative('', flags.out) || '.';
        const made = reports.filter(({ outcome }) => outcome === 'made').length;
        say(`${reports.length} cases written to ${folder}, ${made} with fake lesions`);
      } finally {
        progress?.stop();
      }
    });
}

const words = {
  left: 'as it was, by chance',
  'no organ': 'as it was: it has no voxel of the organ',
  'no lesion': 'as it was: it has no lesion to learn from',
  'not darker': 'as it was: its lesions are not darker than the organ',
} as const;
